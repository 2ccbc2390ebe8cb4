using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Training;

/// <summary>What training gives: trees, their calibration and what they showed.</summary>
/// <param name="Trees">The trees as a table.</param>
/// <param name="Calibration">From margin to probability.</param>
/// <param name="Thresholds">From which probability on to act.</param>
/// <param name="Facts">What was learnt from.</param>
/// <param name="Report">Figures on the calibration rows: ranking is honest there, calibration was fitted there.</param>
internal sealed record TrainedModel(TreeNodes Trees, Calibration Calibration, ThresholdsManifest Thresholds, TrainingFacts Facts, EvaluationReport Report);
