using Scoring.Models.Ensembles;

namespace Scoring.Trainer.Evaluation;

/// <summary>Whether scores are the probabilities they claim to be.</summary>
internal static class Reliability
{
    /// <summary>Bins of <see cref="CalibrationError"/>.</summary>
    public const int Bins = 20;

    /// <summary>Mean negative log likelihood per row, natural logarithm; probabilities are cut off at 1e-9 and 1 - 1e-9.</summary>
    public static double LogLoss(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> isFraud)
    {
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            sum += Logistic.Loss(Logistic.LogOdds(probabilities[i]), isFraud[i] ? 1 : 0);
        }

        return sum / probabilities.Length;
    }

    /// <summary>Expected calibration error: rows in 20 bins of equal size by score, the mean distance of predicted and true share, weighted by rows.</summary>
    public static double CalibrationError(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> isFraud)
    {
        var sorted = probabilities.ToArray();
        var outcomes = isFraud.ToArray();
        Array.Sort(sorted, outcomes);
        double sum = 0;
        for (int bin = 0; bin < Bins; bin++)
        {
            int start = (int)((long)sorted.Length * bin / Bins);
            int end = (int)((long)sorted.Length * (bin + 1) / Bins);
            double predicted = 0;
            for (int i = start; i < end; i++)
            {
                predicted += sorted[i];
            }

            sum += Math.Abs(predicted - outcomes.AsSpan(start, end - start).Count(true));
        }

        return sum / sorted.Length;
    }

    /// <summary>Slope of the truth over the predicted log-odds: 1 is right, below 1 the model is too sure of itself.</summary>
    public static double Slope(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> isFraud)
    {
        var logOdds = new double[probabilities.Length];
        for (int i = 0; i < logOdds.Length; i++)
        {
            logOdds[i] = Logistic.LogOdds(probabilities[i]);
        }

        return PlattFit.Fit(logOdds, isFraud).Slope;
    }
}
