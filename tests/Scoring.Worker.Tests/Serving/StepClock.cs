namespace Scoring.Worker.Tests.Serving;

/// <summary>A clock that a test moves: by hand, and by a step at every look at its timestamp, so that what is measured takes exactly that long.</summary>
internal sealed class StepClock : TimeProvider
{
    private DateTimeOffset now = new(2025, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What passes from one timestamp to the next.</summary>
    public TimeSpan Step { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => (now += Step).Ticks;

    public void Advance(TimeSpan time) => now += time;
}
