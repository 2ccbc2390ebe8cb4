using Prometheus;
using Scoring.Models.Features;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Tells what a lane's partitions count in their state as metrics of the process. For one thread.</summary>
/// <remarks>
/// A partition's own counters begin anew with every assignment, and rebuilding counts again what was counted when it happened. A metric
/// only grows: it takes what a partition has met since it answers here, and keeps it when the partition leaves.
/// </remarks>
internal sealed class StateMetrics
{
    private readonly StateCounters[] told;
    private readonly Counter.Child reordered;
    private readonly Counter.Child tooOld;
    private readonly Counter dropped;
    private readonly Counter keysAdded;
    private readonly Counter.Child keysExpired;
    private readonly Counter.Child keysEvicted;
    private readonly Counter.Child labelsUnmatched;
    private readonly Counter.Child labelsOutOfReach;
    private readonly Counter unknownMembers;
    private readonly Gauge labelsWaiting;
    private readonly Gauge stateBytes;
    private long toldUnknownMembers;

    /// <summary>Starts with nothing told.</summary>
    /// <param name="metrics">Receives it.</param>
    /// <param name="partitionCount">Partitions of the input.</param>
    public StateMetrics(WorkerMetrics metrics, int partitionCount)
    {
        told = new StateCounters[partitionCount];
        reordered = metrics.EventsLate.WithLabels("reordered");
        tooOld = metrics.EventsLate.WithLabels("too_old");
        dropped = metrics.StateEventsDropped;
        keysAdded = metrics.StateKeysAdded;
        keysExpired = metrics.StateEvictions.WithLabels("partition", "expired");
        keysEvicted = metrics.StateEvictions.WithLabels("partition", "limit");
        labelsUnmatched = metrics.LabelsGivenUp.WithLabels("unmatched");
        labelsOutOfReach = metrics.LabelsGivenUp.WithLabels("out_of_reach");
        unknownMembers = metrics.UnknownMembers;
        labelsWaiting = metrics.LabelsWaiting;
        stateBytes = metrics.StateBytes;
    }

    /// <summary>The partition answers from here on: what its state has met so far was history.</summary>
    public void Begin(PartitionInput partition) => told[partition.Partition] = partition.State.CountersKept;

    /// <summary>Tells what a partition has met since the last time.</summary>
    public void Tell(PartitionInput partition)
    {
        labelsWaiting.WithLabels(partition.Name).Set(partition.State.LabelsWaiting);
        stateBytes.WithLabels(partition.Name).Set(partition.State.Bytes);
        if (partition.IsRebuilding)
        {
            return;
        }

        ref readonly var met = ref partition.State.CountersKept;
        ref var before = ref told[partition.Partition];
        Grow(reordered, met.EventsLate - met.EventsTooOld, before.EventsLate - before.EventsTooOld);
        Grow(tooOld, met.EventsTooOld, before.EventsTooOld);
        Grow(dropped, met.EventsDropped, before.EventsDropped);
        Grow(keysAdded, met.KeysAdded, before.KeysAdded);
        Grow(keysExpired, met.KeysExpired, before.KeysExpired);
        Grow(keysEvicted, met.KeysEvicted, before.KeysEvicted);
        Grow(labelsUnmatched, met.LabelsGivenUp, before.LabelsGivenUp);
        Grow(labelsOutOfReach, met.LabelsOutOfReach, before.LabelsOutOfReach);
        before = met;
    }

    /// <summary>Tells the last of a partition that leaves.</summary>
    public void End(PartitionInput partition)
    {
        Tell(partition);
        told[partition.Partition] = default; // Its next state begins at zero.
        labelsWaiting.RemoveLabelled(partition.Name);
        stateBytes.RemoveLabelled(partition.Name);
    }

    /// <summary>Tells the members of events that the definition does not name.</summary>
    /// <param name="met">How many the lane's decoder has passed over since the lane started.</param>
    public void TellUnknownMembers(long met)
    {
        Grow(unknownMembers, met, toldUnknownMembers);
        toldUnknownMembers = met;
    }

    private static void Grow(ICounter counter, long met, long before)
    {
        if (met > before)
        {
            counter.Inc(met - before);
        }
    }
}
