namespace Scoring.Models.Ensembles;

/// <summary>Joins calibrated components: a logistic layer over their log-odds. Immutable.</summary>
/// <param name="Bias">Log-odds added to the weighted ones.</param>
/// <param name="TreesWeight">Weight of the trees' log-odds.</param>
/// <param name="NetworkWeight">Weight of the network's log-odds.</param>
public sealed record Blend(double Bias, double TreesWeight, double NetworkWeight)
{
    private const int IterationsMax = 50;

    // Components say nearly the same, so their weights are only held by a prior: 1 row's worth around the plain mean.
    private const double PriorRows = 1;

    /// <summary>The mean of both log-odds.</summary>
    public static Blend Mean { get; } = new(0, 0.5, 0.5);

    /// <summary>The joint log-odds.</summary>
    public double LogOdds(double treesLogOdds, double networkLogOdds) =>
        Bias + (TreesWeight * treesLogOdds) + (NetworkWeight * networkLogOdds);

    /// <summary>Fits the layer by Newton's method, with a weak prior around <see cref="Mean"/>.</summary>
    /// <param name="trees">Calibrated log-odds of the trees, on rows that no component has learnt from.</param>
    /// <param name="network">Calibrated log-odds of the network, same rows.</param>
    /// <param name="isFraud">Outcome of each row; both must occur.</param>
    /// <exception cref="ArgumentException">The lengths differ, a value is not finite, or there is only one outcome.</exception>
    public static Blend Fit(ReadOnlySpan<double> trees, ReadOnlySpan<double> network, ReadOnlySpan<bool> isFraud)
    {
        FitChecks.Count(trees, isFraud);
        FitChecks.Count(network, isFraud);
        double b = 0;
        double w = 0.5;
        double v = 0.5;
        for (int iteration = 0; iteration < IterationsMax; iteration++)
        {
            double gb = PriorRows * b;
            double gw = PriorRows * (w - 0.5);
            double gv = PriorRows * (v - 0.5);
            double bb = PriorRows;
            double ww = PriorRows;
            double vv = PriorRows;
            double bw = 0;
            double bv = 0;
            double wv = 0;
            for (int i = 0; i < trees.Length; i++)
            {
                double p = Logistic.Probability(b + (w * trees[i]) + (v * network[i]));
                double error = p - (isFraud[i] ? 1 : 0);
                double h = p * (1 - p);
                gb += error;
                gw += error * trees[i];
                gv += error * network[i];
                bb += h;
                bw += h * trees[i];
                bv += h * network[i];
                ww += h * trees[i] * trees[i];
                wv += h * trees[i] * network[i];
                vv += h * network[i] * network[i];
            }

            // Cramer's rule on the symmetric 3 x 3 system.
            double c0 = (ww * vv) - (wv * wv);
            double c1 = (bv * wv) - (bw * vv);
            double c2 = (bw * wv) - (bv * ww);
            double determinant = (bb * c0) + (bw * c1) + (bv * c2);
            double stepB = ((c0 * gb) + (c1 * gw) + (c2 * gv)) / determinant;
            double stepW = ((c1 * gb) + (((bb * vv) - (bv * bv)) * gw) + (((bw * bv) - (bb * wv)) * gv)) / determinant;
            double stepV = ((c2 * gb) + (((bw * bv) - (bb * wv)) * gw) + (((bb * ww) - (bw * bw)) * gv)) / determinant;
            double largest = Math.Max(Math.Abs(stepB), Math.Max(Math.Abs(stepW), Math.Abs(stepV)));
            double damping = largest > 2 ? 2 / largest : 1;
            b -= damping * stepB;
            w -= damping * stepW;
            v -= damping * stepV;
            if (largest < 1e-10)
            {
                break;
            }
        }

        return new Blend(b, w, v);
    }
}
