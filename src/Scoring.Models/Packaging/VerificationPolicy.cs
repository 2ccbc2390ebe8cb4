namespace Scoring.Models.Packaging;

/// <summary>What a package must be to be used here.</summary>
public sealed record VerificationPolicy
{
    /// <summary>Keys of which one must have signed; several while keys are changed.</summary>
    public required IReadOnlyList<PackageKey> AcceptedKeys { get; init; }

    /// <summary>The service that the package must be for; any when null.</summary>
    public string? Service { get; init; }

    /// <summary>Digest of the feature plan that is computed here; any when null (to look at a package).</summary>
    public string? PlanDigest { get; init; }

    /// <summary>The lowest sequence that is taken: that of the package in use. An older one is not played again.</summary>
    public long SequenceMin { get; init; }

    /// <summary>Digest of the package that had <see cref="SequenceMin"/>: another one of the same sequence is refused. Null allows any.</summary>
    public string? TakenSha256 { get; init; }

    /// <summary>The time for not-before and expiry; neither is checked when null.</summary>
    public DateTimeOffset? Now { get; init; }

    /// <summary>How large a package may be.</summary>
    public PackageLimits Limits { get; init; } = new();
}
