using Scoring.Models.Definitions;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>What one partition remembers of an entity of the partition key: a history for each key, the keys bounded.</summary>
internal sealed class LocalEntityOracle
{
    /// <summary>Keys idle for this much longer than their longest look back go when others come, ms.</summary>
    private const long SlackMs = 3_600_000;

    private readonly EntityDefinition entity;
    private readonly EntityKey key;
    private readonly List<OracleField> numbers = [];
    private readonly List<OracleField> identities = [];
    private readonly List<string> numberNames = [];
    private readonly long? reachMs;
    private readonly Dictionary<string, LinkedListNode<KeyHistory>> histories = new(StringComparer.Ordinal);
    private readonly LinkedList<KeyHistory> byUse = new();

    /// <summary>Starts without keys.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="features">Its features.</param>
    /// <param name="schema">Columns of the events.</param>
    public LocalEntityOracle(EntityDefinition entity, IEnumerable<OracleFeature> features, EventSchema schema)
    {
        this.entity = entity;
        key = new EntityKey(entity, schema);
        Slots = [.. features.Select((feature, place) => SlotOf(feature, place, schema))];
        reachMs = Slots.Any(slot => slot.Feature.ReachMs is null) ? null : Slots.Max(slot => slot.Feature.ReachMs);
    }

    /// <summary>Its features.</summary>
    public IReadOnlyList<FeatureSlot> Slots { get; }

    /// <summary>Takes an event in and computes the features.</summary>
    /// <param name="batch">The event's batch.</param>
    /// <param name="row">Its row.</param>
    /// <param name="label">What will be known of it.</param>
    /// <param name="watermarkMs">Latest event time of the partition, this event's included; ms since 1970 UTC.</param>
    /// <param name="expected">Receives the values, by feature.</param>
    public void Take(TransactionBatch batch, int row, LabelState label, long watermarkMs, Expectation[] expected)
    {
        if (key.Of(batch, row) is not { } text)
        {
            foreach (var slot in Slots)
            {
                expected[slot.Feature.Index] = Expectation.Of(double.NaN);
            }

            return;
        }

        long timeMs = batch.EventTimesMs[row];
        var history = Use(text, watermarkMs);
        var added = new OracleEvent(
            System.Text.Encoding.UTF8.GetString(batch.TransactionIds[row]),
            timeMs,
            label,
            [.. numbers.Select(field => field.Units(batch, row))],
            [.. identities.Select(field => field.Identity(batch, row))],
            [.. Slots.Select(slot => Passes(slot.Feature, history, batch, row))]);
        var seen = history.Add(added);
        foreach (var slot in Slots)
        {
            long? value = slot.Value < 0 ? null : added.Values[slot.Value];
            if (history.Panes[slot.Filter] is not { } panes)
            {
                expected[slot.Feature.Index] = LocalOracle.Compute(slot.Feature, slot, seen, history.FirstMs);
                continue;
            }

            panes.Add(timeMs, added.Passes[slot.Filter], value);
            expected[slot.Feature.Index] = LocalOracle.OfWindow(slot.Feature, panes.Window(timeMs), value);
        }
    }

    /// <summary>The kept event of a transaction; null when there is none.</summary>
    /// <param name="facts">Holds the fields of the key.</param>
    /// <param name="row">Its row there.</param>
    /// <param name="transactionId">The transaction.</param>
    /// <param name="timeMs">Its time, ms since 1970 UTC.</param>
    public OracleEvent? Find(TransactionBatch facts, int row, string transactionId, long timeMs) =>
        key.Of(facts, row) is { } text && histories.TryGetValue(text, out var history) ? history.Value.Find(transactionId, timeMs) : null;

    // The filter is asked once, when the event comes; median, mean and count are those of the window before it is in it.
    private bool Passes(OracleFeature feature, KeyHistory history, TransactionBatch batch, int row)
    {
        if (feature.Where is not { } where)
        {
            return true;
        }

        double[] statistics = [double.NaN, double.NaN, double.NaN];
        if (feature.MeasuredBefore is { } measured)
        {
            long last = batch.EventTimesMs[row] - feature.DelayMs;
            int place = numberNames.IndexOf(NameOf(feature));
            var window = history.Before(last).ToArray().Where(one => feature.LengthMs is not { } length || one.TimeMs > last - length).ToList();
            var values = window.Select(one => one.Values[place]).OfType<long>().Select(units => (decimal)units).ToList();
            if (values.Count > 0)
            {
                statistics[0] = (double)(LocalOracle.Median(values) / measured.UnitsOfOne);
                statistics[1] = (double)(values.Sum() / values.Count / measured.UnitsOfOne);
            }

            statistics[2] = window.Count;
        }

        return where.Evaluate(new PredicateInput(batch, row, null, double.NaN, statistics));
    }

    private KeyHistory Use(string text, long watermarkMs)
    {
        if (histories.TryGetValue(text, out var known))
        {
            byUse.Remove(known);
            byUse.AddFirst(known);
            return known.Value;
        }

        for (int i = 0; i < 2 && byUse.Last is { } oldest && reachMs is { } reach && oldest.Value.LastMs < watermarkMs - SlackMs - reach; i++)
        {
            Forget(oldest);
        }

        if (histories.Count >= entity.KeysMax)
        {
            Forget(byUse.Last!);
        }

        var added = byUse.AddFirst(new KeyHistory(text, entity.EventsMax, reachMs)
        {
            Panes = [.. Slots.Select(slot => slot.Feature.IsExact ? null : new PaneHistory(slot.Feature.LengthMs!.Value, slot.Feature.DelayMs))],
        });
        histories.Add(text, added);
        return added.Value;
    }

    private void Forget(LinkedListNode<KeyHistory> one)
    {
        byUse.Remove(one);
        histories.Remove(one.Value.Key);
    }

    private FeatureSlot SlotOf(OracleFeature feature, int place, EventSchema schema)
    {
        bool isPlace = feature.Aggregate is "distance_from_last" or "speed_from_last";
        bool isCompared = feature.Aggregate is "distinct" or "run_length";
        int longitude = isPlace ? NumberAt("longitude", new OracleField(schema, "longitude")) : -1;
        int value = isPlace ? NumberAt("latitude", new OracleField(schema, "latitude"))
            : feature.MeasuredBefore is { } measured ? NumberAt(NameOf(feature), measured)
            : -1;
        value = feature.Of is { } of && !isCompared ? NumberAt(feature.OfName!, of) : value;
        int identity = -1;
        if (isCompared && feature.Of is { } compared)
        {
            identity = identities.Count;
            identities.Add(compared);
        }

        return new FeatureSlot(feature, place, value, longitude, identity);
    }

    private static string NameOf(OracleFeature feature) => ReferenceEquals(feature.MeasuredBefore, feature.Of) ? feature.OfName! : "amount";

    private int NumberAt(string name, OracleField field)
    {
        int index = numberNames.IndexOf(name);
        if (index < 0)
        {
            index = numbers.Count;
            numbers.Add(field);
            numberNames.Add(name);
        }

        return index;
    }
}
