namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Whether our engine runs a model, and if not, why ONNX Runtime must.</summary>
/// <param name="Ensemble">The compiled trees, or null.</param>
/// <param name="Reason">Why not, for the operator; empty when there is an ensemble.</param>
public readonly record struct TreeEnsembleReading(TreeEnsemble? Ensemble, string Reason);
