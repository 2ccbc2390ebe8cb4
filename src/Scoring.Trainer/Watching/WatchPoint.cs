namespace Scoring.Trainer.Watching;

/// <summary>A time at which the trainer looks whether it should train.</summary>
/// <param name="AtMs">The time, ms since 1970 UTC: what was known then is what is learnt from.</param>
/// <param name="IsScheduled">Whether the schedule asks for training then; else labels or drift must.</param>
internal sealed record WatchPoint(long AtMs, bool IsScheduled)
{
    /// <summary>The time.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(AtMs);
}
