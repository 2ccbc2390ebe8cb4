using Scoring.Models.Features;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>Joins the micro-batches of all lanes into launches of one device and runs them on a thread of its own.</summary>
/// <remarks>
/// 1. A lane reserves rows in the open launch under the gate, copies its values outside of it, and waits, at most <see cref="DeviceOptions.TimeoutMs"/>.
/// 2. The thread takes the open launch when it is full, when every lane has joined, when it opened while another one ran (its lanes have had
///    that time to gather), or <see cref="DeviceOptions.LingerMs"/> after it opened.
/// 3. It runs the launch and wakes its lanes. One that fails fails for all of them: each scores its rows on the processor.
/// A lane has one micro-batch here at a time, so its order is kept. A lane that gave up waiting leaves its rows to the launch, where nobody reads
/// them. The thread alone touches the sessions and closes them, when the last lane has let go: never under a run that hangs.
/// </remarks>
internal sealed class DeviceExecutor
{
    /// <summary>Most launches open, waiting or running: what a device that hangs can hold.</summary>
    internal const int LaunchesMax = 16;

    private readonly object gate = new();
    private readonly DeviceModel model;
    private readonly DeviceOptions options;
    private readonly Stack<Launch> free = [];
    private readonly Queue<Launch> full = [];
    private Launch? open;
    private int made;
    private bool isRunning;
    private bool openedWhileRunning;

    // The ensemble that lanes take theirs from scores nothing itself.
    private int sharers = 1;

    /// <summary>Takes the sessions over and starts.</summary>
    internal DeviceExecutor(DeviceModel model, DeviceOptions options)
    {
        this.model = model;
        this.options = options;
        new Thread(Run) { Name = "device", IsBackground = true }.Start();
    }

    /// <summary>Fewest rows worth the way.</summary>
    internal int RowsMin => options.RowsMin;

    /// <summary>One lane more.</summary>
    internal DeviceExecutor Share()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(sharers == 0, this);
            sharers++;
        }

        return this;
    }

    /// <summary>One lane less; behind the last the thread ends.</summary>
    internal void Release()
    {
        lock (gate)
        {
            sharers--;
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Scores rows of a lane; its thread waits.</summary>
    /// <param name="block">Feature values.</param>
    /// <param name="margins">Receives as many margins as rows are wanted; NaN where the ensemble has no trees.</param>
    /// <param name="network">Receives as many outputs of the network; NaN where there is none.</param>
    internal DeviceOutcome Score(FeatureBlock block, Span<double> margins, Span<double> network)
    {
        for (int first = 0; first < margins.Length; first += options.RowsMax)
        {
            int count = Math.Min(options.RowsMax, margins.Length - first);
            var outcome = ScoreAtOnce(block, first, margins.Slice(first, count), network.Slice(first, count));
            if (outcome != DeviceOutcome.Scored)
                return outcome;
        }

        return DeviceOutcome.Scored;
    }

    private DeviceOutcome ScoreAtOnce(FeatureBlock block, int firstRow, Span<double> margins, Span<double> network)
    {
        if (!TryJoin(margins.Length, out Launch launch, out int first))
            return DeviceOutcome.Busy;
        for (int row = 0; row < margins.Length; row++)
            block.CopyRow(firstRow + row, launch.Row(first + row));
        launch.Copied();
        DeviceOutcome outcome = launch.Await(options.TimeoutMs);
        if (outcome == DeviceOutcome.Scored)
            launch.Read(first, margins, network);
        LetGo(launch);
        return outcome;
    }

    // The hand-over: all that a lane does under the gate.
    private bool TryJoin(int rowCount, out Launch launch, out int first)
    {
        (launch, first) = (null!, 0);
        lock (gate)
        {
            if (open is not null && open.RowCount + rowCount > options.RowsMax)
            {
                full.Enqueue(open);
                open = null;
                Monitor.Pulse(gate);
            }

            if (open is null)
            {
                if (!free.TryPop(out open) && made == LaunchesMax)
                    return false;
                open ??= Make();
                open.Open();
                openedWhileRunning = isRunning;
                Monitor.Pulse(gate);
            }

            launch = open;
            first = launch.Join(rowCount);
            if (IsComplete(launch))
                Monitor.Pulse(gate);
            return true;
        }
    }

    private Launch Make()
    {
        made++;
        return new Launch(options.RowsMax, model.FeatureCount);
    }

    private bool IsComplete(Launch launch) => launch.LaneCount >= sharers - 1 || launch.RowCount == options.RowsMax;

    private void LetGo(Launch launch)
    {
        lock (gate)
        {
            if (--launch.Users == 0)
                free.Push(launch);
        }
    }

    private void Run()
    {
        while (TakeNext() is { } launch)
        {
            launch.AwaitCopies();
            string? failure;
            try
            {
                model.Score(launch.Rows, launch.RowCount, launch.Margins, launch.Network);
                failure = model.HasTrees && HoldsNotFinite(launch.Margins) ? "a margin is not a finite number" : null;
            }
            catch (Exception thrown) // Native code: whatever it throws, the lanes score on the processor.
            {
                failure = thrown.Message;
            }

            options.Launched?.Invoke(launch.RowCount, failure);
            StopRunning(); // Before lanes wake: what they open next did not have this run's time to gather.
            launch.Finish(failed: failure is not null);
            LetGo(launch);
        }

        model.Dispose();
    }

    private static bool HoldsNotFinite(ReadOnlySpan<double> margins)
    {
        foreach (double margin in margins)
        {
            if (!double.IsFinite(margin))
                return true;
        }

        return false;
    }

    private void StopRunning()
    {
        lock (gate)
        {
            isRunning = false;
        }
    }

    // Null when no lane is left.
    private Launch? TakeNext()
    {
        lock (gate)
        {
            while (full.Count == 0 && open is null)
            {
                if (sharers == 0)
                    return null;
                Monitor.Wait(gate);
            }

            if (full.Count == 0 && !openedWhileRunning && options.LingerMs > 0 && !IsComplete(open!))
                Monitor.Wait(gate, options.LingerMs);
            isRunning = true;
            if (full.TryDequeue(out Launch? next))
                return next;
            next = open;
            open = null;
            return next;
        }
    }
}
