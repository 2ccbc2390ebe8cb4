namespace Scoring.Worker.Lanes;

/// <summary>Stops a lane's input while the broker does not take its output, and keeps the lane a member of its group meanwhile.</summary>
/// <remarks>
/// A member that does not poll is thrown out of the group. So a lane without room waits for acknowledgements a few
/// milliseconds at a time; when that lasts, it stops fetching its partitions and polls again: for nothing but the group's decisions.
/// </remarks>
internal sealed class OutputRoom(LaneOutput output, OwnedPartitions partitions, TransactionInput input, TimeProvider clock)
{
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PauseAfter = TimeSpan.FromMilliseconds(500);

    private long fullSince;

    /// <summary>Whether partitions are not fetched until there is room again.</summary>
    public bool IsHolding { get; private set; }

    /// <summary>Whether the reader may be asked: there is room, or nothing but decisions can come.</summary>
    /// <param name="now">Timestamp of the cycle.</param>
    public bool MayRead(long now)
    {
        if (!output.HasRoom)
        {
            output.Poll(Wait);
        }

        if (output.HasRoom)
        {
            if (IsHolding)
            {
                LetFlow();
            }

            fullSince = 0;
            return true;
        }

        fullSince = fullSince == 0 ? now : fullSince;
        if (!IsHolding && clock.GetElapsedTime(fullSince, now) < PauseAfter)
        {
            return false;
        }

        IsHolding = true;
        foreach (var partition in partitions.All)
        {
            if (!partition.IsPaused)
            {
                input.Pause(partition); // Also those that came meanwhile.
            }
        }

        return true;
    }

    private void LetFlow()
    {
        IsHolding = false;
        foreach (var partition in partitions.All)
        {
            if (!partition.IsRestoring)
            {
                input.Resume(partition); // One that has many rows waiting is paused again with its next row.
            }
        }

        if (partitions.All.Count > 0)
        {
            input.FetchNow(partitions.All[0].Source);
        }
    }
}
