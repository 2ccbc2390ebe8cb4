namespace Scoring.Models.Packaging;

/// <summary>Rows whose scores are known: a package that does not reproduce them is not used.</summary>
public sealed record SmokeVectors
{
    /// <summary>How far a score may be off.</summary>
    public const double Tolerance = 1e-6;

    /// <summary>Who computed the scores.</summary>
    public required string Reference { get; init; }

    /// <summary>Feature values, a row each, in the order of the manifest; NaN is missing.</summary>
    public required IReadOnlyList<IReadOnlyList<float>> Rows { get; init; }

    /// <summary>The calibrated probability of each row.</summary>
    public required IReadOnlyList<double> Probabilities { get; init; }
}
