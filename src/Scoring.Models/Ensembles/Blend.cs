namespace Scoring.Models.Ensembles;

/// <summary>Joins calibrated components: a logistic layer over their log-odds. Immutable.</summary>
/// <param name="Bias">Log-odds added to the weighted ones.</param>
/// <param name="TreesWeight">Weight of the trees' log-odds.</param>
/// <param name="NetworkWeight">Weight of the network's log-odds.</param>
public sealed record Blend(double Bias, double TreesWeight, double NetworkWeight)
{
    private const int IterationsMax = 50;
    private const int HalvingsMax = 20;

    // Components say nearly the same, so their weights are only held by a prior: 1 row's worth around the plain mean.
    private const double PriorRows = 1;

    /// <summary>The mean of both log-odds.</summary>
    public static Blend Mean { get; } = new(0, 0.5, 0.5);

    /// <summary>The joint log-odds.</summary>
    public double LogOdds(double treesLogOdds, double networkLogOdds) =>
        Bias + (TreesWeight * treesLogOdds) + (NetworkWeight * networkLogOdds);

    /// <summary>Fits the layer by Newton's method, with a weak prior around <see cref="Mean"/> and weights of at least 0.</summary>
    /// <param name="trees">Calibrated log-odds of the trees, on rows that no component has learnt from.</param>
    /// <param name="network">Calibrated log-odds of the network, same rows.</param>
    /// <param name="isFraud">Outcome of each row; both must occur.</param>
    /// <exception cref="ArgumentException">The lengths differ, a value is not finite, or there is only one outcome.</exception>
    /// <remarks>
    /// A negative weight would say that a row is safer because a component suspects it: chance in few frauds, and no reason to give to
    /// anybody. Breiman, "Stacked regressions", Machine Learning 24, 1996, found weights without it to generalise worse.
    /// </remarks>
    public static Blend Fit(ReadOnlySpan<double> trees, ReadOnlySpan<double> network, ReadOnlySpan<bool> isFraud)
    {
        FitChecks.Count(trees, isFraud);
        FitChecks.Count(network, isFraud);
        var free = Newton(trees, network, isFraud, useTrees: true, useNetwork: true);
        if (free.TreesWeight >= 0 && free.NetworkWeight >= 0)
        {
            return free;
        }

        // The loss is convex: where its lowest point breaks a bound, the lowest allowed one lies on a bound.
        var best = Newton(trees, network, isFraud, useTrees: false, useNetwork: false);
        double loss = best.Loss(trees, network, isFraud);
        foreach (bool useTrees in (ReadOnlySpan<bool>)[true, false])
        {
            var candidate = Newton(trees, network, isFraud, useTrees, !useTrees);
            double candidateLoss = candidate.Loss(trees, network, isFraud);
            if (candidate.TreesWeight >= 0 && candidate.NetworkWeight >= 0 && candidateLoss < loss)
            {
                (best, loss) = (candidate, candidateLoss);
            }
        }

        return best;
    }

    // A component that is not used has weight 0.
    private static Blend Newton(ReadOnlySpan<double> trees, ReadOnlySpan<double> network, ReadOnlySpan<bool> isFraud, bool useTrees, bool useNetwork)
    {
        var at = new Blend(0, useTrees ? Mean.TreesWeight : 0, useNetwork ? Mean.NetworkWeight : 0);
        double loss = at.Loss(trees, network, isFraud);
        for (int iteration = 0; iteration < IterationsMax; iteration++)
        {
            var (b, w, v) = at;
            double gb = PriorRows * b;
            double gw = PriorRows * (w - Mean.TreesWeight);
            double gv = PriorRows * (v - Mean.NetworkWeight);
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

            // What is not used does not move, and moves nothing.
            (gw, ww, bw) = useTrees ? (gw, ww, bw) : (0, 1, 0);
            (gv, vv, bv) = useNetwork ? (gv, vv, bv) : (0, 1, 0);
            wv = useTrees && useNetwork ? wv : 0;

            // Cramer's rule on the symmetric 3 x 3 system.
            double c0 = (ww * vv) - (wv * wv);
            double c1 = (bv * wv) - (bw * vv);
            double c2 = (bw * wv) - (bv * ww);
            double determinant = (bb * c0) + (bw * c1) + (bv * c2);
            double stepB = ((c0 * gb) + (c1 * gw) + (c2 * gv)) / determinant;
            double stepW = ((c1 * gb) + (((bb * vv) - (bv * bv)) * gw) + (((bw * bv) - (bb * wv)) * gv)) / determinant;
            double stepV = ((c2 * gb) + (((bw * bv) - (bb * wv)) * gw) + (((bb * ww) - (bw * bw)) * gv)) / determinant;
            double largest = Math.Max(Math.Abs(stepB), Math.Max(Math.Abs(stepW), Math.Abs(stepV)));
            var next = at;
            double nextLoss = loss;
            double damping = largest > 2 ? 2 / largest : 1;
            for (int halving = 0; halving < HalvingsMax; halving++, damping /= 2)
            {
                next = new Blend(at.Bias - (damping * stepB), at.TreesWeight - (damping * stepW), at.NetworkWeight - (damping * stepV));
                nextLoss = next.Loss(trees, network, isFraud);
                if (nextLoss <= loss)
                {
                    break; // A full step may overshoot where the loss is flat, and then go to and fro.
                }
            }

            if (nextLoss > loss)
            {
                break; // No digit is left to win.
            }

            (at, loss) = (next, nextLoss);
            if (largest < 1e-10)
            {
                break;
            }
        }

        return at;
    }

    // What the fit makes small: the log loss of the rows and the prior's share.
    private double Loss(ReadOnlySpan<double> trees, ReadOnlySpan<double> network, ReadOnlySpan<bool> isFraud)
    {
        double shiftTrees = TreesWeight - Mean.TreesWeight;
        double shiftNetwork = NetworkWeight - Mean.NetworkWeight;
        double loss = 0.5 * PriorRows * ((Bias * Bias) + (shiftTrees * shiftTrees) + (shiftNetwork * shiftNetwork));
        for (int i = 0; i < trees.Length; i++)
        {
            loss += Logistic.Loss(LogOdds(trees[i], network[i]), isFraud[i] ? 1 : 0);
        }

        return loss;
    }
}
