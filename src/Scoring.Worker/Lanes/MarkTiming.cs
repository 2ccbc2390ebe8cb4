namespace Scoring.Worker.Lanes;

/// <summary>Which marks go with a commit, of state that has changed since the last ones.</summary>
internal enum MarkTiming
{
    /// <summary>None but those that must: the first of a partition, the last before it goes, and what a label wants.</summary>
    OnlyNeeded,

    /// <summary>Those that are due.</summary>
    WhenDue,

    /// <summary>Also those that are worth it, while the transaction is small: nobody waits for the lane to go on.</summary>
    Early,
}
