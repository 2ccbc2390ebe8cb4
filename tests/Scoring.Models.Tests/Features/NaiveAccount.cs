namespace Scoring.Models.Tests.Features;

/// <summary>One event as the oracle sees it.</summary>
internal sealed record NaiveEvent(string Id, long TimeMs, long AmountMinor, string Merchant, double? Latitude, double? Longitude)
{
    public bool IsFraud { get; set; }

    /// <summary>From when its label counts.</summary>
    public long CountsFromMs { get; set; }

    public double Amount => AmountMinor / 100.0;

    public bool IsBig { get; init; }

    public bool IsSurprising { get; init; }
}

/// <summary>What an account's features may look at: the events kept, up to and including the current one, oldest first.</summary>
internal sealed record NaiveView(IReadOnlyList<NaiveEvent> Events, long FirstSeenMs)
{
    public NaiveEvent Current => Events[^1];

    public long Now => Current.TimeMs;

    public List<NaiveEvent> Window(double seconds, double delaySeconds = 0)
    {
        double last = Now - (delaySeconds * 1000);
        return [.. Events.Where(one => last - (seconds * 1000) < one.TimeMs && one.TimeMs <= last)];
    }

    /// <summary>Latest first, with whether it is a known fraud.</summary>
    public List<(NaiveEvent Event, bool IsFraud)> Known(double delaySeconds) =>
        [.. Events.Where(one => one.TimeMs <= Now - (delaySeconds * 1000)).Reverse().Select(one => (one, one.IsFraud && one.CountsFromMs <= Now))];
}

/// <summary>The rules of a key's ring, in the plainest words: sorted by time, equal times by arrival, the oldest given up when full.</summary>
internal sealed class NaiveAccount(int eventsMax, double retentionMs)
{
    private readonly List<NaiveEvent> kept = [];
    private long lastMs = long.MinValue;
    private long firstSeenMs = long.MaxValue;

    public IReadOnlyList<NaiveEvent> Kept => kept;

    /// <summary>The account before an event of this time: what its filters may look at.</summary>
    public IReadOnlyList<NaiveEvent> Before(long timeMs) => [.. kept.Where(one => one.TimeMs <= timeMs)];

    public NaiveView Add(NaiveEvent added)
    {
        firstSeenMs = Math.Min(firstSeenMs, added.TimeMs);
        bool tooOld = lastMs != long.MinValue && retentionMs <= lastMs - added.TimeMs && added.TimeMs < lastMs;
        bool olderThanAll = kept.Count == eventsMax && added.TimeMs < lastMs && added.TimeMs < kept[0].TimeMs;
        lastMs = Math.Max(lastMs, added.TimeMs);
        if (tooOld || olderThanAll)
        {
            return new NaiveView([.. Before(added.TimeMs).Append(added)], firstSeenMs);
        }

        if (kept.Count == eventsMax)
        {
            kept.RemoveAt(0);
        }

        kept.Insert(kept.FindLastIndex(one => one.TimeMs <= added.TimeMs) + 1, added);
        return new NaiveView(Before(added.TimeMs), firstSeenMs);
    }
}
