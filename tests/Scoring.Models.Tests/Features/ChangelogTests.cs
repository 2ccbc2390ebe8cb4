using CsCheck;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>A state comes back from its changelog as it was, down to the order in which its keys were used.</summary>
public sealed class ChangelogTests
{
    private sealed record Transaction(StateTests.Step[] Steps, int End);

    private static readonly Gen<Transaction[]> Transactions = Gen.Select(StateTests.Steps, Gen.Int[0, 5], (steps, end) => new Transaction(steps, end)).Array[1, 8];

    [Fact]
    public void What_is_restored_hashes_like_what_was_committed_at_every_mark() =>
        Transactions.Sample(transactions =>
        {
            using var bench = StateTests.TightBench(partitionCount: 2);
            bench.State.KeepChangelog();
            var topic = new List<(byte[] Key, byte[] Value)>();
            int firstId = 0;
            foreach (var (steps, end) in transactions)
            {
                bench.State.Begin();
                StateTests.Run(bench, steps, firstId);
                firstId += 1_000;
                var open = new List<(byte[] Key, byte[] Value)>();
                bool isMarked = end is 0 or 1 or 2;
                if (isMarked)
                {
                    Assert.True(bench.State.WriteChanges(int.MaxValue, (key, value) => open.Add((key.ToArray(), value.ToArray()))));
                    bench.State.WriteMark(new StateMark(firstId, 7, 4), (key, value) => open.Add((key.ToArray(), value.ToArray())));
                }

                if (end is 2 or 3)
                {
                    bench.State.Rollback();
                    bench.State.DiscardWritten();
                    continue;
                }

                bench.State.Commit();
                if (isMarked)
                {
                    bench.State.KeepWritten();
                    topic.AddRange(open);
                    AssertRestores(bench, end == 1 ? Compacted(topic) : topic, firstId);
                }
            }
        }, iter: 300);

    [Fact]
    public void A_copy_made_between_transactions_and_the_changelog_since_before_it_are_the_state_at_every_later_mark() =>
        Gen.Select(Transactions, Gen.Int[0, 4], Gen.Int[1, 12]).Sample((transactions, beginAt, countMax) =>
        {
            using var bench = StateTests.TightBench(partitionCount: 2);
            bench.State.KeepChangelog();
            var topic = new List<(byte[] Key, byte[] Value)>();
            var copy = new List<(byte[] Key, byte[] Value)>();
            var cursor = default(StateCursor);
            int? from = null;
            bool isWhole = false;
            int firstId = 0;
            int number = 0;
            foreach (var (steps, end) in transactions.Concat(transactions))
            {
                bench.State.Begin();
                StateTests.Run(bench, steps, firstId);
                firstId += 1_000;
                var open = new List<(byte[] Key, byte[] Value)>();
                if (end is 0 or 1 or 2)
                {
                    Assert.True(bench.State.WriteChanges(int.MaxValue, (key, value) => open.Add((key.ToArray(), value.ToArray()))));
                    bench.State.WriteMark(new StateMark(firstId, 7, 4), (key, value) => open.Add((key.ToArray(), value.ToArray())));
                }

                if (end is 2 or 3)
                {
                    bench.State.Rollback();
                    bench.State.DiscardWritten();
                    continue;
                }

                bench.State.Commit();
                if (end is 0 or 1)
                {
                    bench.State.KeepWritten();
                    topic.AddRange(open);
                    if (isWhole)
                    {
                        AssertRestores(bench, [.. copy, .. topic[from!.Value..]], firstId);
                    }
                }

                if (number++ >= beginAt && !isWhole)
                {
                    from ??= topic.Count;
                    isWhole = bench.State.WriteCopy(ref cursor, countMax, (key, value) => copy.Add((key.ToArray(), value.ToArray())));
                }
            }
        }, iter: 500);

    [Fact]
    public void Records_written_bit_by_bit_are_a_state_only_with_the_mark_behind_the_last()
    {
        using var bench = StateTests.TightBench(partitionCount: 1);
        bench.State.KeepChangelog();
        StateTests.Run(bench, [.. Enumerable.Range(0, 60).Select(i => new StateTests.Step(5, i * 300, i % 7, i % 3, 1, 0))], 0);
        var topic = new List<(byte[] Key, byte[] Value)>();
        bench.State.WriteMark(default, Write);
        int rounds = 1;
        for (; !bench.State.WriteChanges(5, Write); rounds++)
        {
            bench.State.KeepWritten();
            using var early = StateTests.TightBench(partitionCount: 1);
            early.State.KeepChangelog();
            var loader = new StateLoader(early.State);
            topic.ForEach(record => loader.Take(record.Key, record.Value));
            Assert.Equal(StateFound.Unfinished, loader.Finish(out _));
        }

        bench.State.WriteMark(new StateMark(60, 0, 1), Write);
        bench.State.KeepWritten();
        Assert.InRange(rounds, 3, 100);
        AssertRestores(bench, topic, 60);

        void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => topic.Add((key.ToArray(), value.ToArray()));
    }

    [Fact]
    public void Any_bytes_are_loaded_or_refused_with_what_is_wrong() =>
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Byte.Array[0, 80], Gen.Bool).Sample((key, value, isOurs) =>
        {
            using var bench = StateTests.TightBench(partitionCount: 1);
            bench.State.KeepChangelog();
            if (isOurs && key.Length > 8)
            {
                key[0] = 1;
                key[1] = (byte)(1 + (key[1] % 3));
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(2), bench.State.Shape);
                key[6] = 0;
                key[7] %= 4;
            }

            var loader = new StateLoader(bench.State);
            try
            {
                loader.Take(key, value);
                loader.Finish(out _);
            }
            catch (InvalidDataException refused)
            {
                Assert.NotEmpty(refused.Message);
            }
        }, iter: 20_000);

    private static void AssertRestores(Bench bench, List<(byte[] Key, byte[] Value)> topic, long offset)
    {
        using var restored = StateTests.TightBench(partitionCount: 2);
        restored.State.KeepChangelog();
        var loader = new StateLoader(restored.State);
        topic.ForEach(record => loader.Take(record.Key, record.Value));
        Assert.Equal(StateFound.Marked, loader.Finish(out var mark));
        Assert.Equal(offset, mark.TransactionOffset);
        Assert.Equal(bench.State.Hash(), restored.State.Hash());
        Assert.Equal(0, restored.State.ChangesPending);
    }

    private static List<(byte[] Key, byte[] Value)> Compacted(List<(byte[] Key, byte[] Value)> topic)
    {
        var last = topic.GroupBy(record => Convert.ToHexString(record.Key), StringComparer.Ordinal).Select(same => same.Last()).Where(record => record.Value.Length > 0).ToHashSet();
        return [.. topic.Where(last.Contains)];
    }
}
