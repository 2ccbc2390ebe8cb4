namespace Scoring.Models.Ensembles;

/// <summary>Step of the degradation ladder that scores. Below the last there are rules only.</summary>
public enum EnsembleStep
{
    /// <summary>Every component.</summary>
    Full,

    /// <summary>The trees alone: ONNX Runtime failed or is too slow.</summary>
    TreesOnly,
}
