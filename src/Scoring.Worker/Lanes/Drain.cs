using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>The end of a lane: 1. it commits what it has answered, 2. stays in the group until the other lanes of the process have, 3. leaves.</summary>
/// <remarks>A member that leaves makes the group rebalance, and a coordinator refuses commits while it does: the first lane to leave would make the others repeat.</remarks>
internal sealed class Drain(LaneContext context, int lane, OwnedPartitions partitions, TransactionInput input, LaneCommits commits, Action follow)
{
    private const int PollMs = 50;

    /// <summary>Time for the last commits; with leaving the group and ending the process it stays below ten seconds.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LeaveBound = TimeSpan.FromSeconds(2);

    /// <summary>Commits and leaves.</summary>
    /// <exception cref="LaneFailure">The last outputs and offsets are not acknowledged.</exception>
    public void Run()
    {
        long started = context.Clock.GetTimestamp();
        try
        {
            follow(); // The group may have taken partitions away in the lane's last cycle.
            foreach (var partition in partitions.All)
            {
                input.Pause(partition);
            }

            while (!commits.Finish(partitions.Positions, Left(started)))
            {
                if (Left(started) == TimeSpan.Zero)
                {
                    throw new LaneFailure(ExitCode.Unavailable, FormattableString.Invariant($"the broker did not acknowledge the last outputs and their offsets within {Bound.TotalSeconds} s; they are repeated at the next start"));
                }

                TakePart(); // A commit that was refused for a rebalance is accepted after it.
            }
        }
        finally
        {
            context.LastCommits.Signal();
        }

        while (!context.LastCommits.IsSet && Left(started) > TimeSpan.Zero)
        {
            TakePart();
        }

        if (!input.Close(LeaveBound))
        {
            LogMessages.LeftLate(context.Logger, lane);
        }
    }

    /// <summary>Follows a rebalance, in which every member must take part for it to end.</summary>
    private void TakePart()
    {
        input.Read(PollMs, context.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        follow();
    }

    private TimeSpan Left(long started) => Bound - context.Clock.GetElapsedTime(started) is { Ticks: > 0 } left ? left : TimeSpan.Zero;
}
