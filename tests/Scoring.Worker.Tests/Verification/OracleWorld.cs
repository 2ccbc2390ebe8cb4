using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Verification.Oracle;

namespace Scoring.Worker.Tests.Verification;

/// <summary>One step of a history: an event, or a label for the event of a number (which may still have to come).</summary>
internal sealed record OracleStep(int Seconds, int Account, int Merchant, int Amount, int Place, int Id, int Label, int ReportedAfter);

/// <summary>Engine and oracle side by side over the same bytes: events, and labels told before the first event that is not older than their report.</summary>
internal sealed class OracleWorld : IDisposable
{
    public const long Epoch = 1_740_787_200_000;

    private readonly EventDecoder decoder;
    private readonly LabelDecoder labelDecoder;
    private readonly TransactionBatch batch;
    private readonly LabelBatch label;
    private readonly FeatureEngine engine;
    private readonly FeatureBlock block;
    private readonly PartitionState[] states;
    private readonly FeatureOracle oracle;
    private readonly Expectation[] expected;
    private readonly Queue<(long ReportedAtMs, byte[] Value)>[] labels;
    private readonly LabelQueue[] queues;
    private readonly List<Row> rows = [];
    private readonly EventHeaders headers = new();
    private long? goneToMs;

    public OracleWorld(string definition, int partitionCount)
    {
        var reading = ServiceDefinitionReader.Read(Encoding.UTF8.GetBytes(definition));
        Assert.True(reading.Definition is not null, string.Join('\n', reading.Faults));
        decoder = new EventDecoder(reading.Definition);
        labelDecoder = new LabelDecoder(reading.Definition, decoder.Schema);
        batch = new TransactionBatch(decoder.Schema, 1);
        label = new LabelBatch(decoder.Schema, 1);
        var plan = FeaturePlan.Compile(reading.Definition, decoder.Schema);
        Shared = new SharedAggregates(plan, partitionCount);
        engine = new FeatureEngine(plan, Shared);
        block = new FeatureBlock(plan.FeatureCount, 1, keepExact: true);
        states = [.. Enumerable.Range(0, partitionCount).Select(partition => new PartitionState(plan, partition))];
        labels = [.. states.Select(_ => new Queue<(long, byte[])>())];
        queues = [.. states.Select(_ => new LabelQueue(reading.Definition, decoder.Schema))];
        oracle = new FeatureOracle(reading.Definition, decoder.Schema, queues, partitionCount);
        Assert.Empty(oracle.NotChecked);
        expected = new Expectation[plan.FeatureCount];
    }

    public SharedAggregates Shared { get; }

    /// <summary>Feature values that the oracle has compared.</summary>
    public int Compared { get; private set; }

    public static byte[] Event(OracleStep step, int id)
    {
        var json = new JsonObject
        {
            ["transaction_id"] = string.Create(CultureInfo.InvariantCulture, $"t{id}"),
            ["event_time"] = Time(Epoch + (step.Seconds * 1000L)),
            ["amount_minor"] = step.Amount,
            ["currency"] = step.Amount % 7 == 0 ? "JPY" : "EUR",
            ["account_id"] = string.Create(CultureInfo.InvariantCulture, $"a{step.Account}"),
            ["merchant_id"] = string.Create(CultureInfo.InvariantCulture, $"m{step.Merchant}"),
        };
        if (step.Place > 0)
        {
            json["latitude"] = 10.5 * step.Place;
            json["longitude"] = -20.25 * step.Place;
            json["device_id"] = string.Create(CultureInfo.InvariantCulture, $"d{step.Place}");
            json["account_created_at"] = Time(Epoch - (step.Place * 12_345_000L));
        }

        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    /// <summary>Adds a label to a partition's topic.</summary>
    public void AddLabel(int partition, int id, bool isFraud, long reportedAtMs)
    {
        byte[] value = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["label_id"] = string.Create(CultureInfo.InvariantCulture, $"l{id}"),
            ["transaction_id"] = string.Create(CultureInfo.InvariantCulture, $"t{id}"),
            ["account_id"] = "a",
            ["is_fraud"] = isFraud,
            ["reported_at"] = Time(reportedAtMs),
        }.ToJsonString());
        labels[partition].Enqueue((reportedAtMs, value));
        queues[partition].Add(value, null);
    }

    /// <summary>How far every partition must have come before an event's shared features are final.</summary>
    public long Horizon(byte[] value, int partition)
    {
        Decode(value, partition, 0);
        return engine.SettledHorizonMs(batch, 0);
    }

    /// <summary>Applies the engine's labels that come before an event.</summary>
    public void TellLabels(int partition, long eventTimeMs)
    {
        while (labels[partition].TryPeek(out var head) && head.ReportedAtMs <= eventTimeMs)
        {
            label.Clear();
            Assert.True(labelDecoder.Decode(labels[partition].Dequeue().Value, false, headers, long.MaxValue / 2, label).IsNone);
            label.Accept(partition, 0, 0);
            engine.ApplyLabel(label, 0, states[partition]);
        }
    }

    /// <summary>Takes an event into both and compares what needs no other partition.</summary>
    public void Process(byte[] value, int partition, long offset)
    {
        Decode(value, partition, offset);
        TellLabels(partition, batch.EventTimesMs[0]);
        engine.Process(batch, 0, 1, states, block);
        var row = new Row(partition, offset, batch.EventTimesMs[0], block.ExactRow(0).ToArray());
        rows.Add(row);
        oracle.Take(batch, 0, partition, expected, row);
        foreach (var feature in oracle.Features)
        {
            Compare(row, feature, expected[feature.Index]);
        }
    }

    /// <summary>Takes an event into the engine only: by now retention has taken it.</summary>
    public void ProcessGone(byte[] value, int partition, long offset)
    {
        Decode(value, partition, offset);
        TellLabels(partition, batch.EventTimesMs[0]);
        engine.Process(batch, 0, 1, states, block);
        goneToMs = Math.Max(goneToMs ?? long.MinValue, batch.EventTimesMs[0]);
    }

    /// <summary>The oracle begins behind what is gone.</summary>
    public void CutOff(int partition) => oracle.IsCutOff(partition, goneToMs);

    /// <summary>Tells the others what a partition has contributed and how far it is.</summary>
    public void Exchange(int partition, long watermarkMs)
    {
        states[partition].AdvanceWatermark(watermarkMs);
        states[partition].DrainContributions((key, value) => Shared.Apply(partition, key, value));
    }

    /// <summary>Compares what looks at all partitions.</summary>
    public void Finish() => oracle.ReadShared((row, feature, value) => Compare((Row)row, feature, value));

    public void Dispose() => Array.ForEach(states, state => state.Dispose());

    private void Compare(Row row, OracleFeature feature, Expectation value)
    {
        Compared += value.IsKnown ? 1 : 0;
        Assert.True(
            value.Admits(row.Values[feature.Index], feature.IsCounted),
            string.Create(CultureInfo.InvariantCulture, $"partition {row.Partition} offset {row.Offset}: {feature.Name} is {row.Values[feature.Index]:R}, the oracle says {value.Least:R} to {value.Most:R}"));
    }

    private void Decode(byte[] value, int partition, long offset)
    {
        batch.Clear();
        var refusal = decoder.Decode(value, false, headers, long.MaxValue / 2, batch);
        Assert.True(refusal.IsNone, refusal.ToString());
        batch.Accept(partition, offset, 0);
    }

    private static string Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private sealed class Row(int partition, long offset, long timeMs, double[] values) : OracleRow(partition, offset, timeMs)
    {
        public double[] Values => values;
    }
}
