using System.Runtime.InteropServices;

namespace Scoring.Models.Features;

/// <summary>What a partition's state has met so far: for metrics. Taken back by a rollback, so that nothing counts twice.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StateCounters
{
    /// <summary>Events processed.</summary>
    public long Events { get; internal set; }

    /// <summary>(Event, local entity) pairs older than the latest event of their key: put in their place in time.</summary>
    public long EventsLate { get; internal set; }

    /// <summary>Of these, too old for every window, or older than everything a full ring keeps: scored but not kept.</summary>
    public long EventsTooOld { get; internal set; }

    /// <summary>Events that a full ring gave up although a window could still hold them. Raise <c>eventsMax</c> when it grows.</summary>
    public long EventsDropped { get; internal set; }

    /// <summary>Keys that came anew.</summary>
    public long KeysAdded { get; internal set; }

    /// <summary>Keys given up because there were <c>keysMax</c> others used later.</summary>
    public long KeysEvicted { get; internal set; }

    /// <summary>Keys dropped because they were idle for longer than their longest window.</summary>
    public long KeysExpired { get; internal set; }

    /// <summary>Keys longer than <c>keyBytesMax</c>: the event has no such entity.</summary>
    public long KeysTooLong { get; internal set; }

    /// <summary>Labels that changed something.</summary>
    public long LabelsApplied { get; internal set; }

    /// <summary>Of these, labels that came after the time at which they should have counted.</summary>
    public long LabelsLate { get; internal set; }

    /// <summary>Labels that said again what was known.</summary>
    public long LabelsRepeated { get; internal set; }

    /// <summary>Labels that contradicted an earlier one, and replaced it.</summary>
    public long LabelsReplaced { get; internal set; }

    /// <summary>Labels without an answer (<c>is_fraud</c> null).</summary>
    public long LabelsUnknown { get; internal set; }

    /// <summary>Labels that found no transaction and began to wait for it.</summary>
    public long LabelsWaited { get; internal set; }

    /// <summary>Waiting labels given up because there were too many.</summary>
    public long LabelsGivenUp { get; internal set; }

    /// <summary>Labels whose event had left its key's ring: nothing is left that it could change.</summary>
    public long LabelsOutOfReach { get; internal set; }
}
