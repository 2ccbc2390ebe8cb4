namespace Scoring.Models.Ensembles;

/// <summary>How a raw score becomes a probability.</summary>
public enum CalibrationKind
{
    /// <summary>The model gives probabilities already; they are taken as they are.</summary>
    Identity,

    /// <summary>A logistic curve over the raw score: two parameters, for few frauds.</summary>
    Platt,

    /// <summary>A monotone polyline over the raw score: for more than about a thousand frauds.</summary>
    Isotonic,
}
