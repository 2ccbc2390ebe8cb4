namespace Scoring.Models.Ensembles.Devices;

/// <summary>What came of asking the device.</summary>
public enum DeviceOutcome
{
    /// <summary>The scores are there.</summary>
    Scored,

    /// <summary>The launch failed, for every lane that had joined it.</summary>
    Failed,

    /// <summary>No answer within <see cref="DeviceOptions.TimeoutMs"/>; one that comes later is thrown away.</summary>
    Late,

    /// <summary>All launches are taken by others: more lanes than the device serves in time.</summary>
    Busy,
}
