using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>An engine on the bench: events in, exact values out.</summary>
internal sealed class Bench : IDisposable
{
    private readonly TransactionBatch batch;
    private readonly FeatureBlock block;
    private readonly int latitude;
    private readonly int longitude;

    public Bench(ServiceDefinition definition, int partitionCount = 1)
    {
        Schema = EventSchema.From(definition);
        Plan = FeaturePlan.Compile(definition, Schema);
        batch = new TransactionBatch(Schema, 1);
        block = new FeatureBlock(Plan.FeatureCount, 1, keepExact: true);
        Shared = new SharedAggregates(Plan, partitionCount);
        Engine = new FeatureEngine(Plan, Shared);
        States = [.. Enumerable.Range(0, partitionCount).Select(partition => new PartitionState(Plan, partition))];
        latitude = Schema.ColumnIndex(Schema.IndexOf("latitude"));
        longitude = Schema.ColumnIndex(Schema.IndexOf("longitude"));
    }

    public EventSchema Schema { get; }

    public FeaturePlan Plan { get; }

    public SharedAggregates Shared { get; }

    public FeatureEngine Engine { get; }

    public PartitionState[] States { get; }

    /// <summary>Offset of the next event: set back when a history is to be processed again.</summary>
    public long NextOffset { get; set; }

    public PartitionState State => States[0];

    /// <summary>Whether the event processed last came before.</summary>
    public Repetition Repetition => block.Repetitions[0];

    public static ServiceDefinition Definition(IEnumerable<FeatureDefinition> features, EntityDefinition? account = null, EntityDefinition? merchant = null, int labelDelaySeconds = 20, int recentMax = 1000) => new()
    {
        Service = "bench",
        Events = new EventMapping(),
        Labels = new LabelMapping { Delay = TimeSpan.FromSeconds(labelDelaySeconds), RecentTransactionsMax = recentMax },
        Entities = new Dictionary<string, EntityDefinition>(StringComparer.Ordinal)
        {
            ["account"] = account ?? new() { Key = ["account_id"] },
            ["merchant"] = merchant ?? new() { Key = ["merchant_id"], Shared = new() { Pane = TimeSpan.FromSeconds(1), Settle = TimeSpan.FromSeconds(2) } },
        },
        Features = [.. features],
    };

    /// <summary>Processes one event; the values are valid until the next.</summary>
    public ReadOnlySpan<double> Process(string account, NaiveEvent one, int partition = 0)
    {
        Fill(account, one, partition);
        Engine.Process(batch, 0, 1, States, block);
        return block.ExactRow(0);
    }

    public long Horizon(string account, NaiveEvent one, int partition)
    {
        Fill(account, one, partition);
        return Engine.SettledHorizonMs(batch, 0);
    }

    public LabelOutcome Label(string transactionId, sbyte isFraud, int partition = 0) =>
        Engine.ApplyLabel(Encoding.UTF8.GetBytes(transactionId), isFraud, null, 0, States[partition]);

    /// <summary>Events as one batch, for many rows at once.</summary>
    public TransactionBatch Batch(IEnumerable<(string Account, NaiveEvent Event)> events)
    {
        var list = events.ToList();
        var wide = new TransactionBatch(Schema, list.Count);
        list.ForEach(pair => Fill(wide, pair.Account, pair.Event, 0));
        return wide;
    }

    public void Exchange(int partition) => States[partition].DrainContributions((key, value) => Shared.Apply(partition, key, value));

    public void Dispose() => Array.ForEach(States, state => state.Dispose());

    private void Fill(string account, NaiveEvent one, int partition)
    {
        batch.Clear();
        Fill(batch, account, one, partition);
    }

    private void Fill(TransactionBatch target, string account, NaiveEvent one, int partition)
    {
        int row = target.NextRow();
        target.Times(Schema.EventTime)[row] = one.TimeMs;
        target.Integers(Schema.AmountMinor)[row] = one.AmountMinor;
        target.Currencies.Set(row, "EUR"u8);
        target.TransactionIds.Set(row, Encoding.UTF8.GetBytes(one.Id));
        target.AccountIds.Set(row, Encoding.UTF8.GetBytes(account));
        target.MerchantIds.Set(row, Encoding.UTF8.GetBytes(one.Merchant));
        target.Numbers(latitude)[row] = one.Latitude ?? double.NaN;
        target.Numbers(longitude)[row] = one.Longitude ?? double.NaN;
        target.Accept(partition, NextOffset++, 0);
    }
}
