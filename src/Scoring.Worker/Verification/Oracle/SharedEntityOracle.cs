using System.Numerics;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>An entity that several partitions see: settled panes, added up over all of them.</summary>
/// <remarks>
/// An event goes to the pane of max(its time, its partition's watermark). A window reads the panes that start inside it and closed at
/// least <c>settle</c> before the event. A label goes to the pane of its transaction's time plus the delay; one that comes too late for
/// that, to the first pane that begins <c>settle</c> after the watermark it met.
/// </remarks>
internal sealed class SharedEntityOracle
{
    private readonly EntityKey key;
    private readonly long paneMs;
    private readonly long settleMs;
    private readonly long labelDelayMs;
    private readonly List<OracleField> numbers = [];
    private readonly Dictionary<string, SharedKeyOracle> keys = new(StringComparer.Ordinal);

    /// <summary>Starts without keys.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="features">Its features.</param>
    /// <param name="schema">Columns of the events.</param>
    /// <param name="labelDelay">After which a label counts.</param>
    public SharedEntityOracle(EntityDefinition entity, IEnumerable<OracleFeature> features, EventSchema schema, TimeSpan labelDelay)
    {
        key = new EntityKey(entity, schema);
        paneMs = (long)entity.Shared!.Pane.TotalMilliseconds;
        settleMs = (long)entity.Shared.Settle.TotalMilliseconds;
        labelDelayMs = (long)labelDelay.TotalMilliseconds;
        Slots = [.. features.Select(SlotOf)];
    }

    /// <summary>Its features.</summary>
    public IReadOnlyList<FeatureSlot> Slots { get; }

    /// <summary>Length of a pane, ms.</summary>
    public long PaneMs => paneMs;

    /// <summary>Whether one of them looks at labels.</summary>
    public bool HasLabels => Slots.Any(slot => slot.Feature.OfLabels);

    /// <summary>Every key, with what was given to it.</summary>
    public IReadOnlyDictionary<string, SharedKeyOracle> Keys => keys;

    /// <summary>The key of an event, made when it is new; null when the event lacks a field of it.</summary>
    public SharedKeyOracle? KeyOf(TransactionBatch batch, int row)
    {
        if (key.Of(batch, row) is not { } text)
        {
            return null;
        }

        if (!keys.TryGetValue(text, out var found))
        {
            found = new SharedKeyOracle();
            keys.Add(text, found);
        }

        return found;
    }

    /// <summary>By feature: whether an event passes its filter.</summary>
    public bool[] Passes(TransactionBatch batch, int row) =>
        [.. Slots.Select(slot => slot.Feature.Where?.Evaluate(new(batch, row, null, double.NaN, [double.NaN, double.NaN, double.NaN])) ?? true)];

    /// <summary>Gives an event to a key.</summary>
    public void Give(SharedKeyOracle target, TransactionBatch batch, int row, int partition, long watermarkMs, bool[] passes) =>
        target.Events.Add(new SharedEvent(partition, PaneOf(Math.Max(batch.EventTimesMs[row], watermarkMs)), [.. numbers.Select(field => field.Units(batch, row))], passes));

    /// <summary>Gives a label to a key.</summary>
    /// <param name="target">The key.</param>
    /// <param name="eventTimeMs">Time of its transaction, ms since 1970 UTC.</param>
    /// <param name="watermarkMs">Watermark of the partition when the label was told; null before the first event.</param>
    /// <param name="latestWatermarkMs">Latest watermark it can have met; null where it met <paramref name="watermarkMs"/> for certain.</param>
    /// <param name="sign">1 for a fraud, -1 for one taken back.</param>
    /// <param name="passes">Of its event.</param>
    public void Give(SharedKeyOracle target, long eventTimeMs, long? watermarkMs, long? latestWatermarkMs, int sign, bool[] passes)
    {
        long knownMs = eventTimeMs + labelDelayMs;
        long earliestMs = FromWatermark(watermarkMs);
        bool isLate = earliestMs > knownMs;
        long latestMs = latestWatermarkMs is { } latest ? Math.Max(earliestMs, FromWatermark(latest)) + LabelOracle.TellingMs : isLate ? earliestMs + LabelOracle.TellingMs : earliestMs;
        target.Labels.Add(new SharedLabel(PaneOf(earliestMs), PaneOf(latestMs), sign, passes));

        long FromWatermark(long? watermark) => watermark is { } reached ? Math.Max(knownMs, reached + settleMs + paneMs) : knownMs;
    }

    /// <summary>Computes the features of every row that reads from a key, when all partitions have been read.</summary>
    /// <param name="tell">Receives each value.</param>
    public void Read(Action<OracleRow, OracleFeature, Expectation> tell)
    {
        foreach (var one in keys.Values.Where(one => one.Readers.Count > 0))
        {
            one.Events.Sort((first, second) => first.PaneMs.CompareTo(second.PaneMs));
            long[] panes = [.. one.Events.Select(given => given.PaneMs)];
            foreach (var slot in Slots)
            {
                var totals = Totals(one, slot);
                foreach (var row in one.Readers)
                {
                    tell(row, slot.Feature, Compute(one, slot, panes, totals, row.TimeMs));
                }
            }
        }
    }

    private Expectation Compute(SharedKeyOracle one, FeatureSlot slot, long[] panes, Total[] totals, long nowMs)
    {
        var feature = slot.Feature;
        long last = nowMs - feature.DelayMs;
        long after = last - feature.LengthMs!.Value;
        long to = Math.Min(last, nowMs - settleMs - paneMs);
        int begin = CountUpTo(panes, after);
        int end = Math.Max(begin, CountUpTo(panes, to));
        var sum = totals[end] - totals[begin];
        if (feature.OfLabels)
        {
            var (least, most) = Frauds(one, slot, after + labelDelayMs, to + labelDelayMs);
            return feature.Aggregate is "label_count" ? new Expectation(LabelOracle.Counted(feature, least), LabelOracle.Counted(feature, most), IsKnown: true)
                : sum.Count == 0 ? Expectation.Of(feature.Empty)
                : new Expectation(Math.Min(1, (double)least / sum.Count), Math.Min(1, (double)most / sum.Count), IsKnown: true);
        }

        return sum.Count == 0 ? Expectation.Of(feature.Empty) : feature.Aggregate switch
        {
            "count" => Expectation.Of(sum.Count),
            "sum" => Expectation.Of((double)(sum.Sum / (decimal)feature.Of!.UnitsOfOne)),
            "mean" => Expectation.Of((double)(sum.Sum / sum.Count / feature.Of!.UnitsOfOne)),
            "std" => Expectation.Of(Deviation(sum) / feature.Of!.UnitsOfOne),
            _ => Expectation.Unknown,
        };
    }

    // Exact: n times the sum of squares, less the square of the sum, is n squared times the variance.
    private static double Deviation(Total sum) => Math.Sqrt((double)((sum.Count * sum.Squares) - ((BigInteger)sum.Sum * (BigInteger)sum.Sum))) / sum.Count;

    private static (long Least, long Most) Frauds(SharedKeyOracle one, FeatureSlot slot, long after, long to)
    {
        long least = 0;
        long most = 0;
        foreach (var label in one.Labels)
        {
            if (!label.Passes[slot.Filter] || label.EarliestPaneMs > to || label.LatestPaneMs <= after)
            {
                continue;
            }

            bool isCertain = label.EarliestPaneMs > after && label.LatestPaneMs <= to;
            least += isCertain || label.Sign < 0 ? label.Sign : 0;
            most += isCertain || label.Sign > 0 ? label.Sign : 0;
        }

        return (Math.Max(0, least), Math.Max(0, most));
    }

    /// <summary>Totals of the events before each place, in the order of their panes.</summary>
    private static Total[] Totals(SharedKeyOracle one, FeatureSlot slot)
    {
        var totals = new Total[one.Events.Count + 1];
        for (int i = 0; i < one.Events.Count; i++)
        {
            var given = one.Events[i];
            long? value = slot.Value < 0 ? 0 : given.Values[slot.Value];
            totals[i + 1] = given.Passes[slot.Filter] && value is { } units
                ? totals[i] + new Total(1, units, (BigInteger)units * units)
                : totals[i];
        }

        return totals;
    }

    private static int CountUpTo(long[] panes, long timeMs)
    {
        int low = 0;
        int high = panes.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = panes[middle] <= timeMs ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private long PaneOf(long timeMs) => (long)Math.Floor((decimal)timeMs / paneMs) * paneMs;

    private FeatureSlot SlotOf(OracleFeature feature, int place)
    {
        int value = -1;
        if (feature.Of is { } of && !feature.OfLabels && feature.Aggregate is not "count")
        {
            value = numbers.Count;
            numbers.Add(of);
        }

        return new FeatureSlot(feature, place, value, -1, -1);
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Total(long Count, decimal Sum, BigInteger Squares)
    {
        public static Total operator +(Total one, Total other) => new(one.Count + other.Count, one.Sum + other.Sum, one.Squares + other.Squares);

        public static Total operator -(Total one, Total other) => new(one.Count - other.Count, one.Sum - other.Sum, one.Squares - other.Squares);
    }
}
