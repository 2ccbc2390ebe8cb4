namespace Scoring.Models.Ensembles.Devices;

/// <summary>Rows of several lanes that a device scores at once, and their results. Used again when all have let go of it.</summary>
/// <remarks>Rows and lanes are counted under the executor's gate; values are copied outside of it, each lane into its own rows.</remarks>
internal sealed class Launch(int rowsMax, int featureCount)
{
    private readonly float[] rows = new float[rowsMax * featureCount];
    private readonly double[] margins = new double[rowsMax];
    private readonly double[] network = new double[rowsMax];
    private int copying;
    private bool isDone;
    private bool hasFailed;

    internal int RowCount { get; private set; }

    internal int LaneCount { get; private set; }

    /// <summary>Those who still read or write it: joined lanes, and the executor.</summary>
    internal int Users { get; set; }

    /// <summary>Values of all rows.</summary>
    internal ReadOnlySpan<float> Rows => rows.AsSpan(0, RowCount * featureCount);

    internal Span<double> Margins => margins.AsSpan(0, RowCount);

    internal Span<double> Network => network.AsSpan(0, RowCount);

    /// <summary>Makes it empty, with the executor as its only user.</summary>
    internal void Open()
    {
        RowCount = 0;
        LaneCount = 0;
        Users = 1;
        isDone = false;
        hasFailed = false;
    }

    /// <summary>Reserves rows; the lane owes a <see cref="Copied"/>.</summary>
    /// <returns>The first of them.</returns>
    internal int Join(int rowCount)
    {
        int first = RowCount;
        RowCount += rowCount;
        LaneCount++;
        Users++;
        Interlocked.Increment(ref copying);
        return first;
    }

    /// <summary>Where a reserved row goes.</summary>
    internal Span<float> Row(int index) => rows.AsSpan(index * featureCount, featureCount);

    internal void Copied() => Interlocked.Decrement(ref copying);

    /// <summary>Waits for lanes that have joined and are copying still: some microseconds, as nothing lies between but the copy.</summary>
    internal void AwaitCopies()
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref copying) > 0)
            spin.SpinOnce();
    }

    /// <summary>Wakes the lanes.</summary>
    internal void Finish(bool failed)
    {
        lock (rows)
        {
            hasFailed = failed;
            isDone = true;
            Monitor.PulseAll(rows);
        }
    }

    /// <summary>Waits for the results.</summary>
    internal DeviceOutcome Await(int timeoutMs)
    {
        lock (rows)
        {
            while (!isDone)
            {
                if (!Monitor.Wait(rows, timeoutMs))
                    return DeviceOutcome.Late;
            }

            return hasFailed ? DeviceOutcome.Failed : DeviceOutcome.Scored;
        }
    }

    /// <summary>Copies a lane's results.</summary>
    internal void Read(int first, Span<double> marginsOfLane, Span<double> networkOfLane)
    {
        margins.AsSpan(first, marginsOfLane.Length).CopyTo(marginsOfLane);
        network.AsSpan(first, networkOfLane.Length).CopyTo(networkOfLane);
    }
}
