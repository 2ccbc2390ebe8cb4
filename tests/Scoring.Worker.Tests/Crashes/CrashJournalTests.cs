using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Crashes;
using Scoring.Worker.Tests.Serving;

namespace Scoring.Worker.Tests.Crashes;

/// <summary>The journal of what is in hand, opened again and again as by processes that ended. One that is closed with a note is one whose process was killed: the file is the same.</summary>
public sealed class CrashJournalTests : IDisposable
{
    private readonly StepClock clock = new();
    private readonly string folder = Directory.CreateTempSubdirectory("crashes").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_record_that_was_in_hand_three_times_is_refused_and_those_beside_it_are_not()
    {
        Die([10, 11, 12, 13]);
        using (var second = Open())
        {
            Assert.Equal([10, 11, 12, 13], Enumerable.Range(0, 20).Select(offset => (long)offset).Where(second.Of(0).MustBeAlone));
        }

        Die([12]);
        using (var third = Open())
        {
            Assert.Equal([12], Enumerable.Range(0, 20).Select(offset => (long)offset).Where(third.Of(0).MustBeAlone));
            Assert.Empty(third.Of(0).Refused);
        }

        Die([12]);
        using var fourth = Open();
        Assert.Equal([12], fourth.Of(0).Refused);
        Assert.False(fourth.Of(0).MustBeAlone(12));
        Assert.Empty(fourth.Of(1).Refused);
    }

    [Fact]
    public void What_was_passed_is_no_suspect_any_more()
    {
        Die([10, 11]);
        Die([11]);
        using (var journal = Open())
        {
            Assert.True(journal.Of(0).MustBeAlone(11));
            Process(journal.Of(0), 11, 11);
        }

        Die([11]);
        using var next = Open();
        Assert.Empty(next.Of(0).Refused);
        Assert.True(next.Of(0).MustBeAlone(11)); // For the first time again.
    }

    [Fact]
    public void A_batch_that_was_never_narrowed_to_one_record_refuses_nothing()
    {
        for (int i = 0; i < 5; i++)
        {
            Die([10, 11]);
        }

        using var journal = Open();
        Assert.Empty(journal.Of(0).Refused);
    }

    [Fact]
    public void Records_that_end_the_process_one_after_the_other_are_not_the_cause()
    {
        for (long offset = 100; offset < 500; offset += 100)
        {
            Refuse(offset);
        }

        Die([500]);
        Die([500]);
        Die([500]);
        var failure = Assert.Throws<CommandFailure>(Open);
        Assert.Equal(ExitCode.Internal, failure.ExitCode);
        Assert.Contains("offset 500 of partition 0", failure.Message, StringComparison.Ordinal);
        string path = Assert.Single(Directory.GetFiles(folder));
        Assert.EndsWith("delete " + path, failure.Message, StringComparison.Ordinal);
        Assert.Throws<CommandFailure>(Open); // Until somebody does.
        File.Delete(path);
        Open().Dispose();
    }

    [Fact]
    public void Refused_records_between_which_the_worker_works_are_each_remembered()
    {
        var offsets = Enumerable.Range(1, 8).Select(number => number * 1_000L).ToList();
        foreach (long offset in offsets)
        {
            Refuse(offset);
            using var journal = Open();
            clock.Advance(TimeSpan.FromSeconds(61));
            Process(journal.Of(1), 1, 5);
        }

        using var next = Open();
        Assert.True(next.HasRefused);
        Assert.Equal(offsets, next.Of(0).Refused);
    }

    [Fact]
    public void What_was_put_down_for_another_reason_is_doubted_as_before()
    {
        Die([11]);
        Die([11]);
        using (var journal = Open())
        {
            var crashes = journal.Of(0);
            crashes.Note(11, 11);
            crashes.Clear(isAnswered: false);
        }

        Die([11]);
        using var next = Open();
        Assert.Equal([11], next.Of(0).Refused);
    }

    [Fact]
    public void One_lane_at_a_time_has_a_record_that_must_be_alone()
    {
        using var journal = Open();
        Assert.True(journal.TryTakeTurn(0));
        Assert.True(journal.TryTakeTurn(0));
        Assert.False(journal.TryTakeTurn(1));
        journal.GiveTurnBack(1); // It has none.
        Assert.False(journal.TryTakeTurn(1));
        journal.GiveTurnBack(0);
        Assert.True(journal.TryTakeTurn(1));
    }

    [Theory]
    [InlineData("another topic of that name", 2)]
    [InlineData("topic", 3)]
    public void Offsets_of_another_input_mean_nothing(string input, int partitionCount)
    {
        Die([10]);
        using var journal = CrashJournal.Open(folder, "group/a", input, partitionCount, clock, NullLogger.Instance)!;
        Assert.False(journal.Of(0).MustBeAlone(10));
    }

    [Fact]
    public void A_file_that_is_damaged_is_begun_again()
    {
        Die([10]);
        string path = Assert.Single(Directory.GetFiles(folder));
        byte[] bytes = File.ReadAllBytes(path);
        bytes[3] ^= 1;
        File.WriteAllBytes(path, bytes);
        using (var journal = Open())
        {
            Assert.False(journal.Of(0).MustBeAlone(10));
        }

        File.WriteAllText(path, "cut off");
        Open().Dispose();
    }

    [Fact]
    public void Two_workers_of_one_name_have_a_file_each()
    {
        using var one = Open();
        using var other = Open();
        Assert.NotEqual(one.Path, other.Path);
    }

    [Fact]
    public void In_a_folder_that_cannot_be_used_there_is_none() => Assert.Null(CrashJournal.Open(Path.Combine(folder, "is-not-there"), "group", "topic", 2, clock, NullLogger.Instance));

    [Fact] // The rule as a lane keeps it, with processes killed for no reason of the input's now and then.
    public void A_lane_comes_to_the_end_without_the_killer_and_with_all_others() =>
        Gen.Select(Gen.Int[0, 199], Gen.Int[1, 64], Gen.UInt).Sample(
            (killer, rowsMax, seed) =>
            {
                var (isOver, refused) = Run(new Random((int)seed), rowsMax, killer, readKiller: -1);
                return isOver && refused.SetEquals([killer]);
            },
            iter: 300,
            threads: 1);

    [Fact] // It ends the process before it is known which record it is: those in hand are innocent.
    public void A_record_that_ends_the_process_while_it_is_read_has_no_other_refused() =>
        Gen.Select(Gen.Int[0, 199], Gen.Int[1, 64], Gen.UInt).Sample(
            (readKiller, rowsMax, seed) =>
            {
                var (isOver, refused) = Run(new Random((int)seed), rowsMax, killer: -1, readKiller);
                return !isOver && refused.Count == 0;
            },
            iter: 300,
            threads: 1);

    /// <summary>Sixteen starts of a lane that has 200 records to process, in batches that are committed when they are answered, one in three of them computed before the batch is full.</summary>
    private (bool IsOver, HashSet<long> Refused) Run(Random random, int rowsMax, long killer, long readKiller)
    {
        string name = $"lane-{Guid.NewGuid()}";
        long next = 0;
        HashSet<long> refused = [];
        for (int starts = 1; starts <= 16; starts++)
        {
            using var journal = CrashJournal.Open(folder, name, "topic", 1, clock, NullLogger.Instance)!;
            var crashes = journal.Of(0);
            refused = [.. crashes.Refused];
            long kill = random.Next(5) == 0 ? random.Next(200) : -1;
            if (TryRun(crashes, random, ref next, [killer, kill], readKiller, rowsMax, refused))
            {
                return (true, refused);
            }
        }

        return (false, refused);
    }

    /// <summary>One process.</summary>
    /// <returns>False when the process ended on the way.</returns>
    private static bool TryRun(PartitionCrashes crashes, Random random, ref long next, long[] killers, long readKiller, int rowsMax, HashSet<long> refused)
    {
        while (next < 200)
        {
            var batch = new List<long>();
            for (long offset = next; offset < 200 && batch.Count < rowsMax && (batch.Count == 0 || !crashes.MustBeAlone(batch[^1])); offset++)
            {
                if (offset == readKiller)
                {
                    return false;
                }

                if (refused.Contains(offset))
                {
                    continue;
                }

                if (batch.Count > 0 && crashes.MustBeAlone(offset))
                {
                    break; // It is staged.
                }

                batch.Add(offset);
                if (random.Next(3) == 0 && !TryCompute(crashes, batch, killers))
                {
                    return false; // As for a label that comes before the next row.
                }
            }

            if (batch.Count > 0 && !TryCompute(crashes, batch, killers))
            {
                return false;
            }

            crashes.Clear(isAnswered: true);
            next = batch.Count == 0 ? 200 : batch[^1] + 1;
        }

        return true;
    }

    private static bool TryCompute(PartitionCrashes crashes, List<long> batch, long[] killers)
    {
        crashes.Note(batch[0], batch[^1]);
        return !batch.Exists(killers.Contains);
    }

    private static void Process(PartitionCrashes crashes, long first, long last)
    {
        crashes.Note(first, last);
        crashes.Clear(isAnswered: true);
    }

    private void Refuse(long offset)
    {
        Die([offset]);
        Die([offset]);
        Die([offset]);
        Open().Dispose();
    }

    private void Die(long[] inHand)
    {
        using var journal = Open();
        journal.Of(0).Note(inHand[0], inHand[^1]);
    }

    private CrashJournal Open() => CrashJournal.Open(folder, "group/a", "topic", 2, clock, NullLogger.Instance)!;
}
