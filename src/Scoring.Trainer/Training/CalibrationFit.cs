using Scoring.Models.Ensembles;

namespace Scoring.Trainer.Training;

/// <summary>Fits a calibration of the kind that was asked for.</summary>
internal static class CalibrationFit
{
    /// <summary>From raw scores and outcomes to the map between them.</summary>
    public static Calibration Fit(CalibrationKind kind, double[] scores, bool[] isFraud) =>
        kind == CalibrationKind.Isotonic ? IsotonicFit.Fit(scores, isFraud) : PlattFit.Fit(scores, isFraud);
}
