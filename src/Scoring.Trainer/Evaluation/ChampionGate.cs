using System.Globalization;

namespace Scoring.Trainer.Evaluation;

/// <summary>Whether a challenger may replace the champion: both are judged on the same later transactions, account by account.</summary>
/// <remarks>
/// Average precision decides, because reviewers live on the ranking; log loss vetoes, because thresholds are applied to the probability.
/// With few frauds the draws are a little too sure of themselves: of 1,000 pairs of equally good models on about 78 frauds, 5.1 % were
/// exchanged at a confidence of 95 %, 3.3 % at 97.5 %, 1.4 % at 99 %, 0.7 % at 99.5 %. Hence 99 %: the loop looks every week, and in doubt
/// the champion stays.
/// </remarks>
internal sealed record ChampionGate
{
    /// <summary>Average precision that a challenger must surely gain. Default 0.</summary>
    public double Margin { get; init; }

    /// <summary>How sure "surely" is. Default 0.99.</summary>
    public double Confidence { get; init; } = 0.99;

    /// <summary>Frauds without which nothing is decided. Default 30.</summary>
    public int FraudsMin { get; init; } = 30;

    /// <summary>Seed of the draws. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The rule as a sentence.</summary>
    public string Rule => string.Create(
        CultureInfo.InvariantCulture,
        $"on the same later transactions the challenger's average precision must exceed the champion's by more than {Margin:0.####} in {Confidence:P0} of {PairedBootstrap.DrawCount} draws of accounts, and its log loss must not be higher; fewer than {FraudsMin} frauds decide nothing");

    /// <summary>Applies the rule.</summary>
    /// <param name="rows">Accounts and outcomes; its scores are not read.</param>
    /// <param name="champion">The champion's probabilities; null where there is none: then one that knows nothing but the share of frauds is to be beaten.</param>
    /// <param name="challenger">The challenger's probabilities.</param>
    public GateVerdict Judge(ScoredRows rows, double[]? champion, double[] challenger)
    {
        int frauds = rows.IsFraud.AsSpan().Count(true);
        if (frauds < FraudsMin || frauds == rows.Count)
        {
            return new(
                GateOutcome.NotJudged,
                string.Create(CultureInfo.InvariantCulture, $"{frauds} frauds among {rows.Count} transactions decide nothing; {FraudsMin} are needed"),
                new Dictionary<string, double>(StringComparer.Ordinal) { ["rows"] = rows.Count, ["frauds"] = frauds });
        }

        double[] reigning = champion ?? [.. Enumerable.Repeat((double)frauds / rows.Count, rows.Count)];
        var gains = PairedBootstrap.Compare(rows, reigning, challenger, Seed, Confidence);
        bool isBetter = gains.AveragePrecision.LowerBound > Margin;
        bool keepsLoss = gains.LogLoss.Gain >= 0;
        string whom = champion is null ? "a model that knows nothing but the share of frauds" : "the champion";
        string verdict = (isBetter, keepsLoss) switch
        {
            (true, true) => $"better than {whom}",
            (false, _) => $"not surely better than {whom}",
            _ => $"ranks better than {whom}, but its probabilities are worse",
        };
        var figures = Figures("challenger", rows with { Scores = challenger }).Concat(champion is null ? [] : Figures("champion", rows with { Scores = champion })).ToDictionary(StringComparer.Ordinal);
        figures["rows"] = rows.Count;
        figures["frauds"] = frauds;
        figures["ap_gain"] = gains.AveragePrecision.Gain;
        figures["ap_gain_low"] = gains.AveragePrecision.LowerBound;
        figures["log_loss_saved"] = gains.LogLoss.Gain;
        string reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{verdict}: average precision {figures["challenger_ap"]:0.0000}, gain {gains.AveragePrecision.Gain:+0.0000;-0.0000} (at least {gains.AveragePrecision.LowerBound:+0.0000;-0.0000}), log loss saved {gains.LogLoss.Gain:+0.000000;-0.000000}, on {rows.Count} transactions with {frauds} frauds");
        return new(isBetter && keepsLoss ? GateOutcome.Promoted : GateOutcome.Kept, reason, figures);
    }

    private static IEnumerable<KeyValuePair<string, double>> Figures(string whose, ScoredRows rows) =>
    [
        new(whose + "_ap", Ranking.AveragePrecision(rows.Scores, rows.IsFraud)),
        new(whose + "_auc_roc", Ranking.AreaUnderRoc(rows.Scores, rows.IsFraud)),
        new(whose + "_card_precision_100", CardPrecision.AtTop(rows, EvaluationReport.CardsPerDay)),
        new(whose + "_log_loss", Reliability.LogLoss(rows.Scores, rows.IsFraud)),
        new(whose + "_calibration_error", Reliability.CalibrationError(rows.Scores, rows.IsFraud)),
    ];
}

/// <summary>What the gate says.</summary>
internal enum GateOutcome
{
    /// <summary>The challenger is published.</summary>
    Promoted,

    /// <summary>The champion stays.</summary>
    Kept,

    /// <summary>Nothing could be judged; the champion stays.</summary>
    NotJudged,
}

/// <summary>What the gate says, and why.</summary>
/// <param name="Outcome">The decision.</param>
/// <param name="Reason">A sentence.</param>
/// <param name="Figures">What both models showed, by name.</param>
internal sealed record GateVerdict(GateOutcome Outcome, string Reason, IReadOnlyDictionary<string, double> Figures);
