namespace Scoring.Worker.Verification.Oracle;

/// <summary>Every aggregate of an entity of the partition key, by going through the events that an event may look at.</summary>
/// <remarks>Windows are <c>(t - delay - window, t - delay]</c>, the current event included; ratios too.</remarks>
internal static class LocalOracle
{
    private const double EarthRadiusKm = 6371.0088;

    /// <summary>Computes a feature.</summary>
    /// <param name="feature">Which.</param>
    /// <param name="slot">Where its events hold what it needs.</param>
    /// <param name="events">The events it may look at, oldest first, the current one last.</param>
    /// <param name="firstMs">Time of the key's earliest event, ms since 1970 UTC.</param>
    public static Expectation Compute(OracleFeature feature, FeatureSlot slot, OracleEvent[] events, long firstMs)
    {
        var current = events[^1];
        switch (feature.Aggregate)
        {
            case "first_seen":
                return Expectation.Of(Math.Min(current.TimeMs - firstMs, feature.LengthMs ?? long.MaxValue) / 1000.0);
            case "time_since_last":
                return Expectation.Of(Earlier(feature, slot, events).FirstOrDefault() is { } last ? (current.TimeMs - last.TimeMs) / 1000.0 : feature.Empty);
            case "run_length":
                return Expectation.Of(RunLength(feature, slot, events));
            case "distance_from_last" or "speed_from_last":
                return Expectation.Of(Travel(feature, slot, events));
            case "distinct":
                int distinct = Window(feature, slot, events).Select(one => one.Identities[slot.Identity]).OfType<string>().Distinct(StringComparer.Ordinal).Count();
                return Expectation.Of(distinct > 0 ? distinct : feature.Empty);
            case "label_count" or "label_rate":
                return LabelOracle.Count(feature, slot, events);
            case "label_run_age" or "label_gap" or "label_time_since_honest":
                return LabelOracle.Run(feature, slot, events);
            case "count" or "sum" or "mean" or "std" or "min" or "max" or "median" or "ratio_to_mean" or "ratio_to_median" or "ratio_to_spread":
                return OfWindow(feature, Window(feature, slot, events).Select(one => slot.Value < 0 ? null : one.Values[slot.Value]), slot.Value < 0 ? null : current.Values[slot.Value]);
            default:
                return Expectation.Unknown;
        }
    }

    /// <summary>An aggregate of what a window holds.</summary>
    /// <param name="feature">Which.</param>
    /// <param name="window">A value for each event of it that passes the filter, in units; null where the event lacks it.</param>
    /// <param name="current">The current event's own value.</param>
    public static Expectation OfWindow(OracleFeature feature, IEnumerable<long?> window, long? current)
    {
        if (feature.Aggregate is "count")
        {
            return Expectation.Of(window.Count() is > 0 and var count ? count : feature.Empty);
        }

        var values = window.OfType<long>().Select(units => (decimal)units).ToList();
        return Expectation.Of(values.Count == 0 ? feature.Empty : OfValues(feature, values, current));
    }

    /// <summary>Median of at least one value: the mean of the two in the middle for an even count.</summary>
    public static decimal Median(List<decimal> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static double OfValues(OracleFeature feature, List<decimal> values, decimal? current)
    {
        decimal one = feature.Of!.UnitsOfOne;
        switch (feature.Aggregate)
        {
            case "sum":
                return (double)(values.Sum() / one);
            case "mean":
                return (double)(values.Sum() / values.Count / one);
            case "std":
                return Deviation(values) / (double)one;
            case "min":
                return (double)(values.Min() / one);
            case "max":
                return (double)(values.Max() / one);
            case "median":
                return (double)(Median(values) / one);
            case "ratio_to_mean":
                return current is { } amount && values.Sum() is > 0 and var sum ? (double)(amount * values.Count / sum) : feature.Empty;
            case "ratio_to_median":
                return current is { } middle && Median(values) is > 0 and var median ? (double)(middle / median) : feature.Empty;
            default:
                return current is { } far && Deviation(values) is > 0 and var deviation ? (double)(far - (values.Sum() / values.Count)) / deviation : feature.Empty;
        }
    }

    /// <summary>Standard deviation of the population, in units: the root of the mean square of the distances from the mean.</summary>
    private static double Deviation(List<decimal> values)
    {
        const decimal SquaresFit = 1e13m;
        decimal mean = values.Sum() / values.Count;
        return values.Exists(value => Math.Abs(value) > SquaresFit)
            ? Math.Sqrt(values.Average(value => (double)(value - mean) * (double)(value - mean)))
            : Math.Sqrt((double)(values.Sum(value => (value - mean) * (value - mean)) / values.Count));
    }

    private static IEnumerable<OracleEvent> Window(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        long last = events[^1].TimeMs - feature.DelayMs;
        for (int at = events.Length - 1; at >= 0 && events[at].TimeMs > last - feature.LengthMs!.Value; at--)
        {
            if (events[at].TimeMs <= last && events[at].Passes[slot.Filter])
            {
                yield return events[at];
            }
        }
    }

    /// <summary>The events before the current one that pass, the newest first.</summary>
    private static IEnumerable<OracleEvent> Earlier(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        long last = events[^1].TimeMs - feature.DelayMs;
        return events.SkipLast(1).Reverse().Where(one => one.TimeMs <= last).TakeWhile(one => IsInReach(feature, one, last)).Where(one => one.Passes[slot.Filter]);
    }

    private static bool IsInReach(OracleFeature feature, OracleEvent one, long lastMs) => feature.LengthMs is not { } length || one.TimeMs > lastMs - length;

    private static double RunLength(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        var current = events[^1];
        long last = current.TimeMs - feature.DelayMs;
        int run = events.Reverse().Where(one => one.TimeMs <= last).TakeWhile(one => IsInReach(feature, one, last) && one.Passes[slot.Filter] && IsSame(one)).Count();
        return run > 0 ? run : feature.Empty;

        bool IsSame(OracleEvent one) =>
            slot.Identity < 0 || (one.Identities[slot.Identity] is { } identity && string.Equals(identity, current.Identities[slot.Identity], StringComparison.Ordinal));
    }

    private static double Travel(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        var current = events[^1];
        if (Place(current) is not { } here || Earlier(feature, slot, events).FirstOrDefault(one => Place(one) is not null) is not { } before)
        {
            return feature.Empty;
        }

        double km = Kilometres(Place(before)!.Value, here);
        double hours = Math.Max(1000, current.TimeMs - before.TimeMs) / 3_600_000.0;
        return feature.Aggregate is "speed_from_last" ? km / hours : km;

        (double Latitude, double Longitude)? Place(OracleEvent one) =>
            one.Values[slot.Value] is { } latitude && one.Values[slot.Longitude] is { } longitude ? (Radians(latitude), Radians(longitude)) : null;
    }

    private static double Radians(long millionthsOfDegree) => millionthsOfDegree / 1_000_000.0 * Math.PI / 180;

    /// <summary>Great circle on a sphere of the mean radius, by the haversine.</summary>
    private static double Kilometres((double Latitude, double Longitude) from, (double Latitude, double Longitude) to)
    {
        double haversine = Haversine(to.Latitude - from.Latitude) + (Math.Cos(from.Latitude) * Math.Cos(to.Latitude) * Haversine(to.Longitude - from.Longitude));
        return 2 * EarthRadiusKm * Math.Asin(Math.Sqrt(Math.Min(1, haversine)));
    }

    private static double Haversine(double angle) => Math.Pow(Math.Sin(angle / 2), 2);
}
