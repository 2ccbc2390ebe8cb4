using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Training;

/// <summary>What training gives: trees, perhaps a network, their calibration and what they showed.</summary>
/// <param name="Trees">The trees as a table.</param>
/// <param name="Calibration">From the trees' margin to probability.</param>
/// <param name="Thresholds">From which probability on to act.</param>
/// <param name="Facts">What was learnt from.</param>
/// <param name="Report">Figures on the calibration rows: ranking is honest there, calibration was fitted there.</param>
internal sealed record TrainedModel(TreeNodes Trees, Calibration Calibration, ThresholdsManifest Thresholds, TrainingFacts Facts, EvaluationReport Report)
{
    /// <summary>The network beside the trees; none where there was none to take.</summary>
    public TrainedNetwork? Network { get; init; }

    /// <summary>How it joins; there exactly when the network is.</summary>
    public StackedNetwork? Stacked { get; init; }

    /// <summary>What came of trying one; none where it was not tried.</summary>
    public NetworkTrial? Trial { get; init; }

    /// <summary>Probabilities of rows, as a worker will compute them.</summary>
    public double[] Probabilities(IReadOnlyList<float[]> rows)
    {
        var engine = TreeEnsemble.Compile(Trees);
        double[] margins = [.. rows.Select(row => engine.ScoreOne(row))];
        return Network is { } network && Stacked is { } stacked
            ? [.. margins.Zip(network.LogOdds(rows), (margin, logOdds) => stacked.Probability(Calibration, margin, logOdds))]
            : Array.ConvertAll(margins, Calibration.Probability);
    }

    /// <summary>The model with the thresholds that a definition states; where it states none, with its own.</summary>
    public TrainedModel With(PolicyDefinition policy)
    {
        double review = policy.Review ?? Thresholds.Review;
        double decline = Math.Max(review, policy.Decline ?? Thresholds.Decline);
        bool isOwn = policy.Review is not null || policy.Decline is not null;
        return isOwn ? this with { Thresholds = new(review, decline, $"stated by the definition where it states one; else {Thresholds.Basis}") } : this;
    }
}
