using Scoring.Models.Ensembles.Devices;

namespace Scoring.Worker.Configuration;

/// <summary>What scores. Section <c>Serving</c>.</summary>
internal sealed record ServingOptions
{
    /// <summary>Path of the service definition.</summary>
    public string? Definition { get; init; }

    /// <summary>Path of the model package.</summary>
    public string? Package { get; init; }

    /// <summary>Paths of ECDSA P-256 public keys (PEM), of which one must have signed the package.</summary>
    public IReadOnlyList<string> VerificationKeys { get; init; } = [];

    /// <summary>Lowest sequence of a package that is taken, from 0. Default 0. Set it to that of the package in use: an older one cannot be played again.</summary>
    public long SequenceMin { get; init; }

    /// <summary>File that keeps the sequence of the last package taken from the models topic, so that a restart takes no lower one. Absent: what the topic still holds tells.</summary>
    public string? SequenceFile { get; init; }

    /// <summary>Whether to score by rules alone when no package is given or it is refused; every score is then marked degraded.</summary>
    public bool WithoutModel { get; init; }

    /// <summary>Longest time of one network run, ms, 1 to 10,000, before it counts as failed and the trees answer alone. Default 250.</summary>
    public int NetworkTimeoutMs { get; init; } = 250;

    /// <summary>Where models score: <c>cpu</c> (default); <c>cuda</c>, or the processor with a warning; <c>auto</c>, a CUDA device if there is one.</summary>
    public string ExecutionProvider { get; init; } = "cpu";

    /// <summary>Path of a CUDA plugin execution provider's library. Absent: the provider in ONNX Runtime's GPU package, which the GPU build holds.</summary>
    public string? ExecutionProviderLibrary { get; init; }

    /// <summary>Device, from 0 to 63. Default 0.</summary>
    public int DeviceId { get; init; }

    /// <summary>How lanes share the device: <c>Serving:DeviceRowsMin</c>, <c>DeviceRowsMax</c>, <c>DeviceLingerMs</c>, <c>DeviceTimeoutMs</c>.</summary>
    public DeviceOptions Device { get; init; } = new();
}
