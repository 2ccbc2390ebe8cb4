using Confluent.Kafka;
using CsCheck;
using Scoring.Worker.Lanes;
using Scoring.Worker.Tests.Serving;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>The search for records whose answers are too large, against a broker that knows which they are.</summary>
public sealed class OversizeSearchTests
{
    private const int PartitionCount = 3;

    // So far apart that an answer of each partition is taken between two of them: where none is, the topic is to blame.
    private static readonly Gen<HashSet<long>[]> Culprits = Gen.Long[0, 40].Select(i => (7 * i) + 1).Array[0, 8].Select(offsets => offsets.ToHashSet()).Array[PartitionCount];

    [Fact]
    public void It_finds_all_of_them_and_no_other_while_the_last_partition_never_ends() =>
        Gen.Select(Culprits, Gen.Int[2, 200], Gen.Int[0, 1_000_000], Gen.Double[0, 0.99]).Sample(
            (culprits, usual, seed, shareOfLast) =>
            {
                var stream = new Stream(culprits, usual, new Random(seed), shareOfLast);
                for (int i = 0; i < 200_000 && !stream.IsThrough; i++) // The others' 300 rows can be one in 300: 30,000 transactions of three rows.
                {
                    stream.Transact();
                }

                Assert.True(stream.IsThrough);
                for (int partition = 0; partition < PartitionCount; partition++)
                {
                    Assert.Equal(culprits[partition].Order(), stream.DeadLetters[partition].Order());
                }
            },
            iter: 300);

    [Fact]
    public void A_dead_letter_that_is_too_large_loses_its_bytes()
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        Refuse(search);
        Refuse(search);
        Assert.True(search.IsBare("in", 0, 7));
        Assert.False(search.IsOversized(new TopicPartition("in", 0), 7));
        search.Take("in", 0, 7, isRefused: true);
        search.Committed([new TopicPartitionOffset("in", 0, 8)]);
        Assert.False(search.IsOn);
        Assert.False(search.IsBare("in", 0, 7));

        static void Refuse(OversizeSearch search)
        {
            search.Take("in", 0, 7, isRefused: true);
            Assert.True(search.Refused([new TopicPartitionOffset("in", 0, 8)]));
            search.Discard();
        }
    }

    [Fact]
    public void What_none_of_the_records_causes_is_looked_for_once()
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        Take(search, 0, 4);
        Assert.True(search.Refused([new TopicPartitionOffset("in", 0, 4)]));
        search.Discard();
        Take(search, 0, 2);
        Assert.True(search.IsFull);
        search.Committed([new TopicPartitionOffset("in", 0, 2)]);
        Assert.True(search.IsOn);
        Take(search, 2, 4);
        search.Committed([new TopicPartitionOffset("in", 0, 4)]);
        Assert.False(search.IsOn);
        Take(search, 4, 8);
        Assert.False(search.Refused([new TopicPartitionOffset("in", 0, 8)]));

        static void Take(OversizeSearch search, long from, long to)
        {
            for (long offset = from; offset < to; offset++)
            {
                search.Take("in", 0, offset, isRefused: false);
            }
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 4)]
    public void One_after_the_other_is_no_matter_of_one_record(long first, int found)
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        for (long offset = first; ; offset++)
        {
            Assert.True(Refuse(offset));
            if (!Refuse(offset))
            {
                Assert.Equal(found, offset - first);
                return;
            }

            search.Take("in", 0, offset, isRefused: false);
            search.Committed([new TopicPartitionOffset("in", 0, offset + 1)]);
        }

        bool Refuse(long offset)
        {
            search.Take("in", 0, offset, isRefused: false);
            bool goesOn = search.Refused([new TopicPartitionOffset("in", 0, offset + 1)]);
            search.Discard();
            return goesOn;
        }
    }

    [Fact]
    public void It_ends_with_the_partitions_that_it_was_about()
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        search.Take("in", 0, 0, isRefused: false);
        search.Take("in", 1, 0, isRefused: false);
        Assert.True(search.Refused([new TopicPartitionOffset("in", 0, 1), new TopicPartitionOffset("in", 1, 1)]));
        search.Discard();
        search.Forget(new TopicPartition("in", 0));
        Assert.True(search.IsOn);
        search.Forget(new TopicPartition("in", 1));
        Assert.False(search.IsOn);
    }

    [Fact]
    public void What_is_not_found_because_its_partition_went_is_looked_for_again()
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        search.Take("in", 0, 5, isRefused: false);
        Assert.True(search.Refused([new TopicPartitionOffset("in", 0, 6)]));
        search.Discard();
        Assert.True(search.MayTake(new TopicPartition("in", 0), 5));
        Assert.False(search.MayTake(new TopicPartition("in", 0), 6));
        Assert.False(search.MayTake(new TopicPartition("in", 1), 0));
        search.Forget(new TopicPartition("in", 0));
        search.Take("in", 1, 5, isRefused: false);
        Assert.True(search.Refused([new TopicPartitionOffset("in", 1, 6)]));
    }

    [Fact]
    public void It_is_given_up_where_nothing_is_answered_any_more()
    {
        var clock = new StepClock();
        var search = new OversizeSearch("in", clock);
        search.Take("in", 0, 5, isRefused: false);
        Assert.True(search.Refused([new TopicPartitionOffset("in", 0, 6)]));
        search.Discard();
        clock.Advance(TimeSpan.FromSeconds(29));
        search.GiveUpIfStuck();
        Assert.True(search.IsOn);
        search.Committed([]); // Nothing was answered in it.
        clock.Advance(TimeSpan.FromSeconds(2));
        search.GiveUpIfStuck();
        Assert.False(search.IsOn);
        Assert.True(search.MayTake(new TopicPartition("in", 1), 0));
    }

    [Fact]
    public void Two_dead_letters_that_come_together_are_told_apart_or_end_it()
    {
        var search = new OversizeSearch("in", TimeProvider.System);
        int refusals = 0;
        do
        {
            search.Take("labels", 0, 1, isRefused: true);
            search.Take("labels", 0, 2, isRefused: true);
            refusals++;
        }
        while (GoesOn() && refusals < 100);
        Assert.InRange(refusals, 2, 20);

        bool GoesOn()
        {
            bool goesOn = search.Refused([new TopicPartitionOffset("in", 0, 6), new TopicPartitionOffset("labels", 0, 3)]);
            search.Discard();
            return goesOn;
        }
    }

    /// <summary>Three partitions, read in any order, most from the last; a transaction that answers a culprit with anything but a dead letter is refused.</summary>
    private sealed class Stream(HashSet<long>[] culprits, int usual, Random random, double shareOfLast)
    {
        private const int Length = 300;

        private readonly OversizeSearch search = new("in", TimeProvider.System);
        private readonly long[] committed = new long[PartitionCount];
        private bool wasRefused;

        public List<long>[] DeadLetters { get; } = [[], [], []];

        public bool IsThrough => committed.All(offset => offset >= Length) && !search.IsOn;

        public void Transact()
        {
            long[] at = [.. committed];
            List<(int Partition, long Offset)> refused = [];
            bool isTooLarge = false;
            int limit = random.Next(1, usual + 1);
            for (int i = 0; i < limit && !search.IsFull; i++)
            {
                int partition = random.NextDouble() < shareOfLast ? PartitionCount - 1 : random.Next(PartitionCount);
                var source = new TopicPartition("in", partition);
                if ((partition < PartitionCount - 1 && at[partition] == Length) || !search.MayTake(source, at[partition]))
                {
                    continue;
                }

                long offset = at[partition]++;
                bool isOversized = search.IsOversized(source, offset);
                if (isOversized)
                {
                    refused.Add((partition, offset));
                }

                isTooLarge |= !isOversized && culprits[partition].Contains(offset);
                search.Take("in", partition, offset, isRefused: false);
            }

            List<TopicPartitionOffset> positions = [.. at.Select((offset, partition) => new TopicPartitionOffset("in", partition, offset))];
            if (isTooLarge)
            {
                Assert.True((!wasRefused && !search.IsOn) || search.Refused(positions));
                wasRefused = true;
                search.Discard();
                return;
            }

            wasRefused = false;
            search.Committed(positions);
            at.CopyTo(committed, 0);
            refused.ForEach(record => DeadLetters[record.Partition].Add(record.Offset));
        }
    }
}
