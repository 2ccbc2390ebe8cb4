namespace Scoring.Models.Ensembles.Devices;

/// <summary>Why a device does not score.</summary>
public enum DeviceFaultCode
{
    /// <summary>The provider's library is not in this build, not at its path, or no such library.</summary>
    NoLibrary,

    /// <summary>The library works, but there is no driver or no such device.</summary>
    NoDevice,

    /// <summary>The model has no form for devices: its trees exceed a bound of <see cref="TensorTrees"/>.</summary>
    TooLarge,

    /// <summary>The session could not be made, out of memory included, or failed on its first rows.</summary>
    SessionFailed,

    /// <summary>The device's scores are not the processor's to 1e-5.</summary>
    Disagrees,
}

/// <summary>Why a device does not score, for a log line and a metric.</summary>
/// <param name="Code">The case.</param>
/// <param name="Sentence">What was found, and what to do about it.</param>
public sealed record DeviceFault(DeviceFaultCode Code, string Sentence)
{
    /// <summary>The case as a metric's label.</summary>
    public string Reason => Code switch
    {
        DeviceFaultCode.NoLibrary => "no_library",
        DeviceFaultCode.NoDevice => "no_device",
        DeviceFaultCode.TooLarge => "too_large",
        DeviceFaultCode.SessionFailed => "session_failed",
        _ => "disagrees",
    };
}
