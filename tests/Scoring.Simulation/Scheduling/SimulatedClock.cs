namespace Scoring.Simulation.Scheduling;

/// <summary>The clock that the worker is given: it stands still but for those who wait, and for looking at it.</summary>
/// <param name="world">Has the time.</param>
/// <param name="begin">What the calendar says at the beginning.</param>
internal sealed class SimulatedClock(World world, DateTimeOffset begin) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => world.Look() + TimeSpan.TicksPerDay; // Never 0, which the worker takes for "never".

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => begin.AddTicks(world.Now);

    /// <summary>Waits the time out, then calls: whoever makes a timer here does so to wait for it.</summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            world.Park(world.Now + dueTime.Ticks);
            callback(state);
        }

        return new Spent();
    }

    private sealed class Spent : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
