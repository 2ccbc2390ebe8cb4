using Scoring.Models.Ensembles;

namespace Scoring.Models.Packaging;

/// <summary>Between a calibration and its form in the manifest.</summary>
public static class CalibrationManifestMapping
{
    private const string Identity = "identity";
    private const string Platt = "platt";
    private const string Isotonic = "isotonic";

    /// <summary>The manifest's form of a calibration.</summary>
    /// <param name="calibration">The calibration.</param>
    /// <param name="note">A sentence for readers.</param>
    public static CalibrationManifest ToManifest(this Calibration calibration, string? note = null) => calibration.Kind switch
    {
        CalibrationKind.Platt => new() { Kind = Platt, Slope = calibration.Slope, Intercept = calibration.Intercept, Note = note },
        CalibrationKind.Isotonic => new()
        {
            Kind = Isotonic,
            KnotScores = calibration.KnotScores.ToArray(),
            KnotProbabilities = calibration.KnotProbabilities.ToArray(),
            Note = note,
        },
        _ => new() { Kind = Identity, Note = note },
    };

    /// <summary>The calibration that a manifest states.</summary>
    /// <exception cref="ArgumentException">It states none that can be.</exception>
    public static Calibration ToCalibration(this CalibrationManifest manifest) => manifest switch
    {
        { Kind: Identity } => Calibration.Identity,
        { Kind: Platt, Slope: { } slope, Intercept: { } intercept } => Calibration.Platt(slope, intercept),
        { Kind: Isotonic, KnotScores: { } scores, KnotProbabilities: { } probabilities } => Calibration.Isotonic([.. scores], [.. probabilities]),
        _ => throw new ArgumentException($"a calibration of kind {manifest.Kind} without what that kind needs", nameof(manifest)),
    };
}
