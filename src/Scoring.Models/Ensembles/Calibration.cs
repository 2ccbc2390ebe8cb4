namespace Scoring.Models.Ensembles;

/// <summary>Maps a component's raw score to the probability of fraud. Monotone and immutable.</summary>
public sealed class Calibration
{
    private readonly double[] scores;
    private readonly double[] probabilities;

    private Calibration(CalibrationKind kind, double slope, double intercept, double[] scores, double[] probabilities)
    {
        Kind = kind;
        Slope = slope;
        Intercept = intercept;
        this.scores = scores;
        this.probabilities = probabilities;
    }

    /// <summary>Takes raw scores as the probabilities they are.</summary>
    public static Calibration Identity { get; } = new(CalibrationKind.Identity, 1, 0, [], []);

    /// <summary>The form of the map.</summary>
    public CalibrationKind Kind { get; }

    /// <summary>Platt: log-odds per unit of raw score, not below zero. 1 for the others.</summary>
    public double Slope { get; }

    /// <summary>Platt: log-odds at raw score 0. 0 for the others.</summary>
    public double Intercept { get; }

    /// <summary>Isotonic: raw scores of the knots, ascending.</summary>
    public ReadOnlySpan<double> KnotScores => scores;

    /// <summary>Isotonic: probabilities at the knots, not descending.</summary>
    public ReadOnlySpan<double> KnotProbabilities => probabilities;

    /// <summary><c>1 / (1 + exp(-(slope * score + intercept)))</c>.</summary>
    /// <exception cref="ArgumentException">A parameter is not finite, or the slope is negative: the higher score would be the less suspicious.</exception>
    public static Calibration Platt(double slope, double intercept) =>
        double.IsFinite(slope) && slope >= 0 && double.IsFinite(intercept)
            ? new(CalibrationKind.Platt, slope, intercept, [], [])
            : throw new ArgumentException($"a Platt calibration needs a finite slope of at least 0 and a finite intercept, not {slope} and {intercept}", nameof(slope));

    /// <summary>Straight lines between knots, level outside of them.</summary>
    /// <param name="knotScores">Raw scores, at least one, ascending; two equal ones make a step.</param>
    /// <param name="knotProbabilities">As many probabilities, strictly between 0 and 1, not descending.</param>
    /// <exception cref="ArgumentException">The knots are not like that.</exception>
    public static Calibration Isotonic(ReadOnlySpan<double> knotScores, ReadOnlySpan<double> knotProbabilities)
    {
        if (knotScores.Length == 0 || knotScores.Length != knotProbabilities.Length)
        {
            throw new ArgumentException($"{knotScores.Length} knot scores and {knotProbabilities.Length} knot probabilities: as many of both, at least one", nameof(knotScores));
        }

        for (int i = 0; i < knotScores.Length; i++)
        {
            bool inRange = double.IsFinite(knotScores[i]) && knotProbabilities[i] > 0 && knotProbabilities[i] < 1;
            bool ascends = i == 0 || (knotScores[i] >= knotScores[i - 1] && knotProbabilities[i] >= knotProbabilities[i - 1]);
            if (!inRange || !ascends)
            {
                throw new ArgumentException($"knot {i} ({knotScores[i]}, {knotProbabilities[i]}) is out of range or out of order", nameof(knotScores));
            }
        }

        return new(CalibrationKind.Isotonic, 1, 0, knotScores.ToArray(), knotProbabilities.ToArray());
    }

    /// <summary>The probability that belongs to a raw score; NaN for NaN.</summary>
    public double Probability(double score) => Kind switch
    {
        CalibrationKind.Platt => Logistic.Probability((Slope * score) + Intercept),
        CalibrationKind.Isotonic => Interpolate(score),
        _ => double.IsNaN(score) ? score : Math.Clamp(score, 0, 1),
    };

    private double Interpolate(double score)
    {
        if (double.IsNaN(score))
        {
            return double.NaN;
        }

        int above = UpperBound(score);
        if (above == 0)
        {
            return probabilities[0];
        }

        int below = above - 1;
        if (above == scores.Length || scores[below] == score)
        {
            return probabilities[below];
        }

        double share = (score - scores[below]) / (scores[above] - scores[below]);
        return probabilities[below] + (share * (probabilities[above] - probabilities[below]));
    }

    // Index of the first knot whose score is above the given one.
    private int UpperBound(double score)
    {
        int low = 0;
        int high = scores.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (scores[middle] <= score)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
