using Scoring.Models.Ensembles;

namespace Scoring.Trainer.Training;

/// <summary>How a network's raw scores join those of the trees.</summary>
/// <param name="Calibration">From the network's log-odds to a probability.</param>
/// <param name="Blend">Joins both probabilities.</param>
internal sealed record StackedNetwork(Calibration Calibration, Blend Blend)
{
    /// <summary>Fits calibration, then blend, on rows that neither component has learnt from.</summary>
    public static StackedNetwork Fit(CalibrationKind kind, Calibration trees, double[] treesMargins, double[] networkLogOdds, bool[] isFraud)
    {
        var network = CalibrationFit.Fit(kind, networkLogOdds, isFraud);
        return new(network, Blend.Fit(LogOdds(trees, treesMargins), LogOdds(network, networkLogOdds), isFraud));
    }

    /// <summary>The joint probability, as <see cref="Ensemble"/> computes it.</summary>
    public double Probability(Calibration trees, double treesMargin, double networkLogOdds) => Logistic.Probability(Blend.LogOdds(
        Logistic.LogOdds(trees.Probability(treesMargin)),
        Logistic.LogOdds(Calibration.Probability(networkLogOdds))));

    private static double[] LogOdds(Calibration calibration, double[] scores) =>
        Array.ConvertAll(scores, score => Logistic.LogOdds(calibration.Probability(score)));
}
