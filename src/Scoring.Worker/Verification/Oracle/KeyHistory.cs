namespace Scoring.Worker.Verification.Oracle;

/// <summary>The events of one key that its ring keeps, in the plainest words: sorted by time, equal times by arrival, the oldest given up when it is full.</summary>
/// <param name="key">The key.</param>
/// <param name="eventsMax">Events kept.</param>
/// <param name="reachMs">Longest look of any feature into the past, ms; null when one has no end.</param>
internal sealed class KeyHistory(string key, int eventsMax, long? reachMs)
{
    private readonly List<OracleEvent> kept = [];

    /// <summary>The key.</summary>
    public string Key => key;

    /// <summary>Windows kept as panes, by feature of the entity; null for a feature that has none.</summary>
    public PaneHistory?[] Panes { get; init; } = [];

    /// <summary>Time of the latest event, ms since 1970 UTC; null before the first.</summary>
    public long? LastMs { get; private set; }

    /// <summary>Time of the earliest event, ms since 1970 UTC.</summary>
    public long FirstMs { get; private set; } = long.MaxValue;

    /// <summary>The events kept up to a time: what a filter of an event at that time may look at.</summary>
    public ReadOnlySpan<OracleEvent> Before(long timeMs) => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(kept)[..(LastAt(timeMs) + 1)];

    /// <summary>The newest kept event of a transaction at a time; null when it is not kept.</summary>
    public OracleEvent? Find(string transactionId, long timeMs) =>
        kept.FindLast(one => one.TimeMs == timeMs && string.Equals(one.TransactionId, transactionId, StringComparison.Ordinal));

    /// <summary>Takes an event in.</summary>
    /// <returns>What its features may look at: the events up to its own time that came before it, and itself as the last.</returns>
    public OracleEvent[] Add(OracleEvent added)
    {
        FirstMs = Math.Min(FirstMs, added.TimeMs);
        bool isLate = LastMs is { } last && added.TimeMs < last;
        bool isTooOld = isLate && reachMs <= LastMs - added.TimeMs;
        bool isOlderThanAll = isLate && kept.Count == eventsMax && added.TimeMs < kept[0].TimeMs;
        LastMs = Math.Max(LastMs ?? added.TimeMs, added.TimeMs);
        if (isTooOld || isOlderThanAll)
        {
            return [.. Before(added.TimeMs), added];
        }

        if (kept.Count == eventsMax)
        {
            kept.RemoveAt(0);
        }

        kept.Insert(LastAt(added.TimeMs) + 1, added);
        return Before(added.TimeMs).ToArray();
    }

    // The place of the last event that is not later; back from the end, where most events belong.
    private int LastAt(long timeMs)
    {
        int at = kept.Count - 1;
        while (at >= 0 && kept[at].TimeMs > timeMs)
        {
            at--;
        }

        return at;
    }
}
