namespace Scoring.Models.Ensembles;

/// <summary>Fits the logistic curve of a Platt calibration.</summary>
/// <remarks>
/// Maximum likelihood with Platt's smoothed targets (J. Platt, "Probabilistic outputs for support vector machines", 1999), by Newton's
/// method with backtracking as Lin, Lin and Weng give it ("A note on Platt's probabilistic outputs", Machine Learning 68, 2007).
/// </remarks>
public static class PlattFit
{
    private const int IterationsMax = 100;
    private const double StepMin = 1e-10;
    private const double Ridge = 1e-12;
    private const double GradientMax = 1e-9;

    /// <summary>Finds slope and intercept.</summary>
    /// <param name="scores">Raw scores, finite.</param>
    /// <param name="isFraud">Outcome of each; both outcomes must occur.</param>
    /// <exception cref="ArgumentException">The lengths differ, a score is not finite, or there is only one outcome.</exception>
    public static Calibration Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        var (frauds, honest) = FitChecks.Count(scores, isFraud);
        // Targets short of 1 and 0 keep the curve finite when the scores separate the outcomes.
        double fraudTarget = (frauds + 1.0) / (frauds + 2.0);
        double honestTarget = 1.0 / (honest + 2.0);

        double slope = 0;
        double intercept = Math.Log((frauds + 1.0) / (honest + 1.0));
        double loss = Loss(scores, isFraud, fraudTarget, honestTarget, slope, intercept);
        for (int iteration = 0; iteration < IterationsMax; iteration++)
        {
            double h11 = Ridge;
            double h22 = Ridge;
            double h12 = 0;
            double g1 = 0;
            double g2 = 0;
            for (int i = 0; i < scores.Length; i++)
            {
                double p = Logistic.Probability((slope * scores[i]) + intercept);
                double weight = p * (1 - p);
                double error = p - (isFraud[i] ? fraudTarget : honestTarget);
                h11 += scores[i] * scores[i] * weight;
                h22 += weight;
                h12 += scores[i] * weight;
                g1 += scores[i] * error;
                g2 += error;
            }

            if (Math.Abs(g1) < GradientMax * scores.Length && Math.Abs(g2) < GradientMax * scores.Length)
            {
                break;
            }

            double determinant = (h11 * h22) - (h12 * h12);
            double slopeStep = -((h22 * g1) - (h12 * g2)) / determinant;
            double interceptStep = -((h11 * g2) - (h12 * g1)) / determinant;
            double descent = (g1 * slopeStep) + (g2 * interceptStep);
            double step = 1;
            while (step >= StepMin)
            {
                double trial = Loss(scores, isFraud, fraudTarget, honestTarget, slope + (step * slopeStep), intercept + (step * interceptStep));
                if (trial < loss + (1e-4 * step * descent))
                {
                    slope += step * slopeStep;
                    intercept += step * interceptStep;
                    loss = trial;
                    break;
                }

                step /= 2;
            }

            if (step < StepMin)
            {
                break; // no direction improves: the optimum to machine precision
            }
        }

        // A negative slope says that the scores are worse than none; the best level line is then the mean target.
        double meanTarget = ((frauds * fraudTarget) + (honest * honestTarget)) / scores.Length;
        return slope >= 0 ? Calibration.Platt(slope, intercept) : Calibration.Platt(0, Logistic.LogOdds(meanTarget));
    }

    private static double Loss(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud, double fraudTarget, double honestTarget, double slope, double intercept)
    {
        double sum = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            sum += Logistic.Loss((slope * scores[i]) + intercept, isFraud[i] ? fraudTarget : honestTarget);
        }

        return sum;
    }
}
