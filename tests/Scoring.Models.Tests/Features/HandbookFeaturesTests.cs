using System.Globalization;
using System.IO.Compression;
using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>The published feature values of the Fraud Detection Handbook's data set, days 115 to 135: every row, every value, 1e-9 absolute.</summary>
public sealed class HandbookFeaturesTests(ITestOutputHelper output)
{
    private const int PartitionCount = 4;
    private const int WarmUpDay = 78;

    /// <summary>One customer, one second: published in swapped order (see the data's README).</summary>
    private static readonly HashSet<long> Swapped = [1240489, 1240490];

    [Fact]
    public void The_published_values_come_out_in_one_partition()
    {
        var published = ReadPublished();
        using var run = new HandbookRun(partitionCount: 1);
        foreach (var row in ReadTransactions())
        {
            run.Process(row, 0);
            published.Compare(row.Id, run.Values);
        }

        published.Finish(output);
    }

    [Fact]
    public void The_published_values_come_out_over_four_partitions_that_wait_for_each_other()
    {
        var published = ReadPublished();
        var queues = new Queue<HandbookRow>[PartitionCount];
        for (int i = 0; i < queues.Length; i++)
        {
            queues[i] = new Queue<HandbookRow>();
        }

        foreach (var row in ReadTransactions())
        {
            queues[PartitionOf(row.Customer)].Enqueue(row);
        }

        // Each partition runs ahead as far as the others' watermarks let it: a backfill, one partition after the other.
        using var run = new HandbookRun(PartitionCount);
        for (int partition = 0; partition < PartitionCount; partition++)
        {
            run.Announce(partition, queues[partition].Peek());
        }

        int left = queues.Sum(queue => queue.Count);
        int waits = 0;
        while (left > 0)
        {
            int before = left;
            for (int partition = 0; partition < PartitionCount; partition++)
            {
                var queue = queues[partition];
                while (queue.Count > 0 && run.IsSettled(queue.Peek(), partition))
                {
                    var row = queue.Dequeue();
                    run.Process(row, partition);
                    published.Compare(row.Id, run.Values);
                    run.Announce(partition, queue.Count > 0 ? queue.Peek() : null);
                    left--;
                }

                waits++;
            }

            Assert.True(left < before, "the partitions wait for each other for ever");
        }

        output.WriteLine($"{waits} turns");
        published.Finish(output);
    }

    /// <summary>Any spreading of customers will do; this one is the same everywhere.</summary>
    private static int PartitionOf(string customer) => (int)(uint.Parse(customer, CultureInfo.InvariantCulture) * 2654435761u >> 30);

    private static PublishedFeatures ReadPublished() => new(Lines("features.csv.gz"));

    private static IEnumerable<HandbookRow> ReadTransactions()
    {
        foreach (string line in Lines("transactions.csv.gz"))
        {
            string[] cells = line.Split(',');
            int day = int.Parse(cells[2], CultureInfo.InvariantCulture);
            if (day is >= WarmUpDay and <= 135)
            {
                yield return new HandbookRow(
                    long.Parse(cells[0], CultureInfo.InvariantCulture),
                    long.Parse(cells[1], CultureInfo.InvariantCulture),
                    cells[3],
                    cells[4],
                    (long)Math.Round(decimal.Parse(cells[5], CultureInfo.InvariantCulture) * 100),
                    cells[6] is "1");
            }
        }
    }

    private static IEnumerable<string> Lines(string name)
    {
        string path = Path.Combine(RepositoryFiles.Root, "..", "shared", "data", "handbook", name);
        if (!File.Exists(path))
        {
            Assert.Skip($"the handbook's data is not there: {path}");
        }

        return Read(path);

        static IEnumerable<string> Read(string path)
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            reader.ReadLine();
            while (reader.ReadLine() is { } line)
            {
                yield return line;
            }
        }
    }

    private sealed record HandbookRow(long Id, long Seconds, string Customer, string Terminal, long AmountMinor, bool IsFraud)
    {
        public long TimeMs => HandbookRun.Epoch + (Seconds * 1000);
    }

    /// <summary>The engine over handbook rows, as a file job (one partition) or as lanes that exchange contributions.</summary>
    private sealed class HandbookRun : IDisposable
    {
        public static readonly long Epoch = new DateTimeOffset(2018, 4, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

        private readonly TransactionBatch batch;
        private readonly FeatureBlock block;
        private readonly SharedAggregates shared;
        private readonly FeatureEngine engine;
        private readonly PartitionState[] states;
        private readonly int terminalColumn;

        public HandbookRun(int partitionCount)
        {
            var reading = ServiceDefinitionReader.ReadFile(Path.Combine(RepositoryFiles.Root, "definitions", "handbook.json"));
            Assert.Empty(reading.Faults);
            var definition = reading.Definition!;
            var schema = EventSchema.From(definition);
            var plan = FeaturePlan.Compile(definition, schema);
            batch = new TransactionBatch(schema, 1);
            block = new FeatureBlock(plan.FeatureCount, 1, keepExact: true);
            shared = new SharedAggregates(plan, partitionCount);
            engine = new FeatureEngine(plan, shared);
            states = [.. Enumerable.Range(0, partitionCount).Select(partition => new PartitionState(plan, partition))];
            terminalColumn = schema.ColumnIndex(schema.IndexOf("terminal_id"));
        }

        public ReadOnlySpan<double> Values => block.ExactRow(0);

        public bool IsSettled(HandbookRow row, int partition)
        {
            Fill(row, partition);
            return engine.SettledHorizonMs(batch, 0) <= shared.MinWatermarkMs;
        }

        public void Process(HandbookRow row, int partition)
        {
            Fill(row, partition);
            engine.Process(batch, 0, 1, states, block);
            engine.ApplyLabel(batch.TransactionIds[0], row.IsFraud ? (sbyte)1 : (sbyte)0, null, 0, states[partition]);
        }

        public void Announce(int partition, HandbookRow? next)
        {
            if (next is null)
            {
                shared.SetIdle(partition, isIdle: true);
                return;
            }

            states[partition].AdvanceWatermark(next.TimeMs);
            states[partition].DrainContributions((key, value) => shared.Apply(partition, key, value));
        }

        public void Dispose()
        {
            foreach (var state in states)
            {
                state.Dispose();
            }
        }

        private void Fill(HandbookRow row, int partition)
        {
            Span<byte> text = stackalloc byte[24];
            batch.Clear();
            batch.NextRow();
            batch.Times(batch.Schema.EventTime)[0] = row.TimeMs;
            batch.Integers(batch.Schema.AmountMinor)[0] = row.AmountMinor;
            batch.Currencies.Set(0, "EUR"u8);
            batch.TransactionIds.Set(0, text[..Encoding.UTF8.GetBytes(row.Id.ToString(CultureInfo.InvariantCulture), text)]);
            batch.AccountIds.Set(0, text[..Encoding.UTF8.GetBytes(row.Customer, text)]);
            batch.MerchantIds.Set(0, "m"u8);
            batch.Text(terminalColumn).Set(0, text[..Encoding.UTF8.GetBytes(row.Terminal, text)]);
            batch.Accept(partition, row.Id, 0);
        }
    }

    /// <summary>The published table, and what differed from it.</summary>
    private sealed class PublishedFeatures(IEnumerable<string> lines)
    {
        private readonly Dictionary<long, double[]> rows = lines.Select(line => line.Split(',')).ToDictionary(
            cells => long.Parse(cells[0], CultureInfo.InvariantCulture),
            cells => cells.Skip(1).Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray());

        private readonly List<string> wrong = [];
        private double largest;
        private int compared;

        public void Compare(long id, ReadOnlySpan<double> values)
        {
            if (!rows.TryGetValue(id, out var expected) || Swapped.Contains(id))
            {
                return;
            }

            compared++;
            for (int i = 0; i < expected.Length; i++)
            {
                double difference = Math.Abs(values[i] - expected[i]);
                largest = Math.Max(largest, difference);
                if (!(difference <= 1e-9))
                {
                    wrong.Add($"{id} feature {i}: {values[i]}, published {expected[i]}");
                }
            }
        }

        public void Finish(ITestOutputHelper output)
        {
            output.WriteLine($"{compared} rows x 15 values, largest difference {largest:R}, {wrong.Count} over 1e-9");
            wrong.Take(10).ToList().ForEach(output.WriteLine);
            Assert.Equal(rows.Count - Swapped.Count, compared);
            Assert.Empty(wrong);
        }
    }
}
