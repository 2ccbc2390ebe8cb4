using System.Runtime.InteropServices;

namespace Scoring.Trainer.Training;

/// <summary>A stretch of event time, its end excluded.</summary>
/// <param name="FromMs">First ms since 1970 UTC.</param>
/// <param name="ToMs">First ms behind it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TimeWindow(long FromMs, long ToMs)
{
    /// <summary>Length, ms.</summary>
    public long LengthMs => ToMs - FromMs;

    /// <summary>The same stretch, earlier.</summary>
    public TimeWindow Earlier(long byMs) => new(FromMs - byMs, ToMs - byMs);

    /// <summary>Whether a time lies in it.</summary>
    public bool Contains(long timeMs) => FromMs <= timeMs && timeMs < ToMs;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{DateTimeOffset.FromUnixTimeMilliseconds(FromMs):yyyy-MM-dd HH:mm} to {DateTimeOffset.FromUnixTimeMilliseconds(ToMs):yyyy-MM-dd HH:mm}";
}
