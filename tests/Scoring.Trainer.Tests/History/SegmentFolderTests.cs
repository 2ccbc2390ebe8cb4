using CsCheck;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;

namespace Scoring.Trainer.Tests.History;

/// <summary>A recorded history against the stream it came from: whole, and killed at every kind of moment.</summary>
public sealed class SegmentFolderTests : IDisposable
{
    private const int PartitionCount = 2;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("scoring-history-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_recorder_that_is_killed_again_and_again_neither_loses_nor_doubles_a_row()
    {
        int run = 0;
        await Gen.Select(Gen.Int[1, 60], Gen.Int[0, 20], Gen.Int[1, 12], Gen.Int[0, 12].Array[0, 8], Gen.Int[0, 1 << 20]).SampleAsync(
            async drawn =>
            {
                var (transactionCount, labelCount, rowsPerSeal, kills, seed) = drawn;
                string undisturbed = Path.Combine(folder.FullName, FormattableString.Invariant($"{++run}-whole"));
                string disturbed = undisturbed + "-killed";
                var stream = Stream(new Random(seed), transactionCount, labelCount);

                string expected = await RecordAsync(undisturbed, stream, rowsPerSeal: 1_000, kills: [], seed);
                string killed = await RecordAsync(disturbed, stream, rowsPerSeal, kills, seed + 1);

                var schema = Schema();
                var rows = await RecordedShop.RowsAsync(expected, schema);
                Assert.Equal(transactionCount, rows.Count);
                Assert.Equal(rows, await RecordedShop.RowsAsync(killed, schema));
                Assert.Equal(await File.ReadAllBytesAsync(expected), await File.ReadAllBytesAsync(killed));
            },
            iter: 40,
            threads: 1);
    }

    [Fact]
    public async Task Old_segments_go_but_never_the_newest_which_knows_the_positions()
    {
        using var open = await SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken);
        var recorder = new HistoryRecorder(RecordedShop.Definition, open);
        for (int day = 0; day < 5; day++)
        {
            recorder.Take(SourceKind.Transactions, RecordedShop.Transaction(0, day, FormattableString.Invariant($"t{day}"), day), RecordedShop.NowMs);
            recorder.Take(SourceKind.Labels, RecordedShop.Label(0, day, FormattableString.Invariant($"l{day}"), "t0", true, day), RecordedShop.NowMs);
            await recorder.SealAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(4, open.Retain(RecordedShop.Day(1.5), long.MaxValue));
        Assert.Equal(3, open.Of(SourceKind.Transactions).Count);
        Assert.Equal(3, open.Of(SourceKind.Labels).Count);
        Assert.Equal(2, open.Retain(RecordedShop.Day(1.5), bytesMax: 1));
        Assert.Equal(4, open.Retain(RecordedShop.Day(99), 0) + open.Of(SourceKind.Transactions).Count + open.Of(SourceKind.Labels).Count);
        Assert.Equal("0:5", open.Recorded(SourceKind.Transactions).ToString());
        Assert.Equal("0:5", open.Recorded(SourceKind.Labels).ToString());
    }

    [Fact]
    public async Task A_folder_has_one_owner_and_one_service()
    {
        using (var open = await SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken))
        {
            var second = await Assert.ThrowsAsync<TrainerException>(() => SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken));
            Assert.Contains("another trainer works in this folder", second.Message, StringComparison.Ordinal);
            var recorder = new HistoryRecorder(RecordedShop.Definition, open);
            recorder.Take(SourceKind.Transactions, RecordedShop.Transaction(0, 0, "t", 1), RecordedShop.NowMs);
            await recorder.SealAsync(TestContext.Current.CancellationToken);
        }

        var other = await Assert.ThrowsAsync<TrainerException>(() => SegmentFolder.OpenAsync(folder.FullName, "bank", null, TestContext.Current.CancellationToken));
        Assert.Contains("history of the service shop, not of bank", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_or_damaged_segment_is_said_to_be_one()
    {
        using (var open = await SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken))
        {
            var recorder = new HistoryRecorder(RecordedShop.Definition, open);
            for (int i = 0; i < 3; i++)
            {
                recorder.Take(SourceKind.Transactions, RecordedShop.Transaction(0, i, FormattableString.Invariant($"t{i}"), i), RecordedShop.NowMs);
                await recorder.SealAsync(TestContext.Current.CancellationToken);
            }
        }

        string second = Path.Combine(folder.FullName, "transactions-00000002.parquet");
        byte[] whole = await File.ReadAllBytesAsync(second, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(second, whole[..^20], TestContext.Current.CancellationToken);
        var damaged = await Assert.ThrowsAsync<TrainerException>(() => SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken));
        File.Delete(second);
        var missing = await Assert.ThrowsAsync<TrainerException>(() => SegmentFolder.OpenAsync(folder.FullName, "shop", null, TestContext.Current.CancellationToken));

        Assert.Contains("no readable segment", damaged.Message, StringComparison.Ordinal);
        Assert.Contains("a segment is missing", missing.Message, StringComparison.Ordinal);
    }

    private static Scoring.Models.Events.EventSchema Schema() => Scoring.Models.Events.EventSchema.From(RecordedShop.Definition);

    // Partitions are read in an order of the reader's own, as a consumer does; a kill begins anew at the recorded positions.
    private static async Task<string> RecordAsync(string path, IReadOnlyList<(SourceKind Kind, SourceRecord Record)> stream, int rowsPerSeal, int[] kills, int seed)
    {
        int killCount = 0;
        for (int attempt = 0; ; attempt++)
        {
            int stepsLeft = attempt < kills.Length ? kills[attempt] : int.MaxValue;
            using var open = await SegmentFolder.OpenAsync(path, "shop", step => Die(path, step, ref stepsLeft), CancellationToken.None);
            var recorder = new HistoryRecorder(RecordedShop.Definition, open);
            try
            {
                foreach (var (kind, record) in Interleaved(stream, recorder, new Random(seed + attempt)))
                {
                    recorder.Take(kind, record, RecordedShop.NowMs);
                    if (recorder.UnsealedRows >= rowsPerSeal)
                    {
                        await recorder.SealAsync(CancellationToken.None);
                    }
                }

                await recorder.SealAsync(CancellationToken.None);
                string snapshot = path + ".parquet";
                await HistorySnapshot.WriteAsync(open, RecordedShop.Definition, recorder.Schema, RecordedShop.Until(40), snapshot, CancellationToken.None);
                return snapshot;
            }
            catch (KilledException)
            {
                killCount++;
            }
        }
    }

    private static void Die(string path, SegmentStep step, ref int stepsLeft)
    {
        if (stepsLeft-- > 0)
        {
            return;
        }

        if (step == SegmentStep.Begun)
        {
            File.WriteAllText(Path.Combine(path, "transactions-00000099.parquet.unfinished"), "half a fi"); // the disk after a kill in the middle of writing
        }

        throw new KilledException($"at {step}");
    }

    private static IEnumerable<(SourceKind Kind, SourceRecord Record)> Interleaved(IReadOnlyList<(SourceKind Kind, SourceRecord Record)> stream, HistoryRecorder recorder, Random random)
    {
        var queues = stream
            .GroupBy(item => (item.Kind, item.Record.Partition))
            .Select(group => new Queue<(SourceKind Kind, SourceRecord Record)>(group.Where(item => item.Record.Offset >= (recorder.Position(item.Kind, item.Record.Partition) ?? 0))))
            .ToList();
        while (queues.RemoveAll(queue => queue.Count == 0) >= 0 && queues.Count > 0)
        {
            yield return queues[random.Next(queues.Count)].Dequeue();
        }
    }

    private static List<(SourceKind Kind, SourceRecord Record)> Stream(Random random, int transactionCount, int labelCount)
    {
        var stream = new List<(SourceKind, SourceRecord)>();
        var offsets = new long[PartitionCount];
        for (int i = 0; i < transactionCount; i++)
        {
            int partition = random.Next(PartitionCount);
            double day = random.Next(20); // many of one time
            stream.Add((SourceKind.Transactions, RecordedShop.Transaction(partition, offsets[partition]++, FormattableString.Invariant($"t{i}"), day, card: partition)));
        }

        for (int i = 0; i < labelCount; i++)
        {
            stream.Add((SourceKind.Labels, RecordedShop.Label(0, i, FormattableString.Invariant($"l{i}"), FormattableString.Invariant($"t{random.Next(transactionCount)}"), random.Next(2) == 0, random.Next(30))));
        }

        return stream;
    }
}
