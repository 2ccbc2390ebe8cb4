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
}
