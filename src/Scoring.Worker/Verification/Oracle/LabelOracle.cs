namespace Scoring.Worker.Verification.Oracle;

/// <summary>Aggregates over the labels of one key's events.</summary>
/// <remarks>
/// A label counts from its transaction's time plus the delay, or from when it was told if that is later. When exactly a late one is
/// told depends on how a live worker read the two topics: for an hour from its earliest moment on, either answer is right.
/// </remarks>
internal static class LabelOracle
{
    /// <summary>How long a late label may take to be told, ms.</summary>
    public const long TellingMs = 3_600_000;

    /// <summary><c>label_count</c>, <c>label_rate</c>.</summary>
    public static Expectation Count(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        long now = events[^1].TimeMs;
        long last = now - feature.BeyondLabelDelayMs;
        long length = feature.LengthMs!.Value;
        int least = 0;
        int most = 0;
        foreach (var one in events)
        {
            if (!one.Label.IsFraud || !one.Passes[slot.Filter])
            {
                continue;
            }

            long from = one.Label.CountsFromMs;
            if (!one.Label.IsLate)
            {
                int counts = from <= last && from > last - length ? 1 : 0;
                least += counts;
                most += counts;
            }
            else if (from <= last && from + TellingMs > last - length)
            {
                least += from + TellingMs <= last && from > last - length ? 1 : 0;
                most++;
            }
        }

        if (feature.Aggregate is "label_count")
        {
            return new Expectation(Counted(feature, least), Counted(feature, most), IsKnown: true);
        }

        int all = events.Count(one => one.Passes[slot.Filter] && one.TimeMs <= now - feature.DelayMs && one.TimeMs > now - feature.DelayMs - length);
        return all == 0 ? Expectation.Of(feature.Empty) : new Expectation(Math.Min(1, (double)least / all), Math.Min(1, (double)most / all), IsKnown: true);
    }

    /// <summary>What a count is told as: <c>empty</c> for none.</summary>
    public static double Counted(OracleFeature feature, long frauds) => frauds <= 0 ? feature.Empty : frauds;

    /// <summary>The open run of known frauds: <c>label_run_age</c>, <c>label_gap</c>, and the honest event before it: <c>label_time_since_honest</c>.</summary>
    public static Expectation Run(OracleFeature feature, FeatureSlot slot, OracleEvent[] events)
    {
        long now = events[^1].TimeMs;
        long last = now - feature.DelayMs;
        var known = events.Reverse()
            .Where(one => one.TimeMs <= last)
            .TakeWhile(one => feature.LengthMs is not { } length || one.TimeMs > last - length)
            .Where(one => one.Passes[slot.Filter])
            .ToList();
        if (known.Exists(one => one.Label is { IsFraud: true, IsLate: true }))
        {
            return Expectation.Unknown;
        }

        var run = known.TakeWhile(IsKnownFraud).ToList();
        var honest = known.Find(one => !IsKnownFraud(one));
        return Expectation.Of(feature.Aggregate switch
        {
            "label_time_since_honest" => honest is null ? feature.Empty : (now - honest.TimeMs) / 1000.0,
            "label_run_age" => run.Count == 0 ? feature.Empty : (now - run[^1].TimeMs) / 1000.0,
            _ => run.Count == 0 || honest is null ? feature.Empty : (run[^1].TimeMs - honest.TimeMs) / 1000.0,
        });

        bool IsKnownFraud(OracleEvent one) => one.Label.IsFraud && one.Label.CountsFromMs <= now - feature.BeyondLabelDelayMs;
    }
}
