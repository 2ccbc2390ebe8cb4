namespace Scoring.Worker.Operations;

/// <summary>What <c>/health/*</c> answers from: written by lanes and the start-up, read by requests.</summary>
internal sealed class HealthState(int laneCount, TimeProvider clock)
{
    /// <summary>A lane whose loop has not turned for this long counts as stuck.</summary>
    public static readonly TimeSpan HeartbeatMax = TimeSpan.FromSeconds(30);

    private readonly long[] heartbeats = [.. Enumerable.Repeat(clock.GetTimestamp(), laneCount)];
    private readonly int[] rebuilding = new int[laneCount];
    private readonly int[] assigned = new int[laneCount];
    private volatile bool started;
    private volatile bool stopping;
    private volatile string? failure;

    /// <summary>Number of lanes.</summary>
    public int LaneCount => heartbeats.Length;

    /// <summary>Says that a lane's loop has turned.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="timestamp">Of the clock.</param>
    /// <param name="hasAssignment">Whether the group has given it its partitions, be it none.</param>
    /// <param name="rebuildingCount">Partitions whose state is not rebuilt yet.</param>
    public void Beat(int lane, long timestamp, bool hasAssignment, int rebuildingCount)
    {
        Volatile.Write(ref heartbeats[lane], timestamp);
        Volatile.Write(ref assigned[lane], hasAssignment ? 1 : 0);
        Volatile.Write(ref rebuilding[lane], rebuildingCount);
    }

    /// <summary>Definition, model, topics and contributions are there; the lanes run.</summary>
    public void Started() => started = true;

    /// <summary>The process drains.</summary>
    public void Stopping() => stopping = true;

    /// <summary>A lane has ended by itself.</summary>
    public void Failed(string reason) => failure = reason;

    /// <summary>Why the process should be restarted, or null. Never a broker's state: an outage would restart everything.</summary>
    public string? NotLive()
    {
        if (failure is { } reason)
        {
            return reason;
        }

        for (int lane = 0; started && lane < heartbeats.Length; lane++)
        {
            if (clock.GetElapsedTime(Volatile.Read(ref heartbeats[lane])) > HeartbeatMax)
            {
                return FormattableString.Invariant($"lane {lane} has not turned for {HeartbeatMax.TotalSeconds} s");
            }
        }

        return null;
    }

    /// <summary>Why no traffic is answered yet, or null.</summary>
    public string? NotReady()
    {
        if (NotStarted() is { } reason)
        {
            return reason;
        }

        if (stopping)
        {
            return "draining";
        }

        int toRebuild = 0;
        for (int lane = 0; lane < heartbeats.Length; lane++)
        {
            toRebuild += Volatile.Read(ref rebuilding[lane]);
            if (Volatile.Read(ref assigned[lane]) == 0)
            {
                return FormattableString.Invariant($"lane {lane} has no assignment yet");
            }
        }

        return toRebuild > 0 ? FormattableString.Invariant($"state of {toRebuild} partitions is being rebuilt") : NotLive();
    }

    /// <summary>Why start-up is not over, or null.</summary>
    public string? NotStarted() => started ? null : "starting";
}
