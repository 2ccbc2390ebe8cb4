using System.Globalization;
using Scoring.Models.Ensembles;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Training;

/// <summary>What came of trying a network beside the trees.</summary>
/// <param name="IsTaken">Whether the package holds it.</param>
/// <param name="Reason">Why, or why not; a sentence.</param>
/// <param name="Gains">What the blend gains over the trees on later rows; none where it did not come to that.</param>
internal sealed record NetworkTrial(bool IsTaken, string Reason, PairedGains? Gains = null)
{
    // Calibrations and blend learn from these of the frauds, in time order; the others judge.
    private const double LearntShare = 0.5;

    /// <summary>
    /// The rule: calibrations and blend are fitted on the earlier half of rows that neither component has learnt from; on the later half the
    /// blend must save log loss over the calibrated trees with 95 % confidence, and must not have the lower average precision.
    /// </summary>
    /// <param name="table">Feature vectors.</param>
    /// <param name="rows">Rows that neither component has learnt from, in time order.</param>
    /// <param name="treesMargins">Raw scores of the trees.</param>
    /// <param name="networkLogOdds">Raw scores of the network.</param>
    /// <param name="kind">How both are calibrated.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <remarks>
    /// Log loss decides because it is proper (Gneiting and Raftery, "Strictly proper scoring rules", JASA 102, 2007) and every row speaks in
    /// it: with some hundred frauds the average precision of twins differs by chance by as much as a network adds. Average precision vetoes
    /// because it is what reviewers live on. In doubt the answer is no: trees alone are faster, explain themselves and need no native code.
    /// </remarks>
    public static NetworkTrial Judge(FeatureTable table, IReadOnlyList<int> rows, double[] treesMargins, double[] networkLogOdds, CalibrationKind kind, int seed)
    {
        int split = TimeSplit.At(table, rows, LearntShare);
        if (split < 0)
        {
            return new(IsTaken: false, "the calibration rows cannot be parted into an earlier and a later half with both outcomes");
        }

        bool[] isFraud = [.. rows.Select(row => table.Label(row) == 1)];
        var trees = CalibrationFit.Fit(kind, treesMargins[..split], isFraud[..split]);
        var stacked = StackedNetwork.Fit(kind, trees, treesMargins[..split], networkLogOdds[..split], isFraud[..split]);
        var later = TrainingRun.Scored(table, [.. rows.Skip(split)], []);
        double[] champion = Array.ConvertAll(treesMargins[split..], trees.Probability);
        double[] challenger = [.. treesMargins[split..].Zip(networkLogOdds[split..], (margin, logOdds) => stacked.Probability(trees, margin, logOdds))];
        var gains = PairedBootstrap.Compare(later, champion, challenger, seed);

        bool savesLoss = gains.LogLoss.LowerBound > 0;
        bool keepsPrecision = gains.AveragePrecision.Gain >= 0;
        string verdict = (savesLoss, keepsPrecision) switch
        {
            (true, true) => "the blend is better",
            (false, _) => "the blend saves no log loss that is surely more than chance",
            _ => "the blend has the lower average precision",
        };
        return new(savesLoss && keepsPrecision, string.Create(CultureInfo.InvariantCulture, $"{verdict}: on {later.Count} later transactions with {later.IsFraud.AsSpan().Count(true)} frauds it gains {gains.AveragePrecision.Gain:+0.0000;-0.0000} average precision (at least {gains.AveragePrecision.LowerBound:+0.0000;-0.0000}) and saves {gains.LogLoss.Gain:+0.000000;-0.000000} log loss a transaction (at least {gains.LogLoss.LowerBound:+0.000000;-0.000000}; 95 % of {PairedBootstrap.DrawCount} draws of accounts)"), gains);
    }

    /// <summary>The figures by the names that reports and manifests use.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures => Gains is null
        ? []
        :
        [
            new("network_ap_gain", Gains.AveragePrecision.Gain),
            new("network_ap_gain_low", Gains.AveragePrecision.LowerBound),
            new("network_log_loss_saved", Gains.LogLoss.Gain),
            new("network_log_loss_saved_low", Gains.LogLoss.LowerBound),
        ];
}
