namespace Scoring.Trainer.Evaluation;

/// <summary>Every figure of one evaluation. NaN where the rows cannot tell.</summary>
internal sealed record EvaluationReport
{
    /// <summary>Cards a day that the card precision is stated for.</summary>
    public const int CardsPerDay = 100;

    /// <summary>Rows judged.</summary>
    public required int Rows { get; init; }

    /// <summary>Frauds among them.</summary>
    public required int Frauds { get; init; }

    /// <summary>Area under the ROC curve.</summary>
    public required double AreaUnderRoc { get; init; }

    /// <summary>Average precision.</summary>
    public required double AveragePrecision { get; init; }

    /// <summary>Card precision of the first 100 accounts a day.</summary>
    public required double CardPrecision { get; init; }

    /// <summary>The card precision that knowing the truth would give.</summary>
    public required double CardPrecisionPerfect { get; init; }

    /// <summary>Recall at 0.1 % false positives.</summary>
    public required double RecallAt001 { get; init; }

    /// <summary>Recall at 1 % false positives.</summary>
    public required double RecallAt01 { get; init; }

    /// <summary>Mean negative log likelihood.</summary>
    public required double LogLoss { get; init; }

    /// <summary>Expected calibration error, 20 bins of equal size.</summary>
    public required double CalibrationError { get; init; }

    /// <summary>Slope of truth over predicted log-odds.</summary>
    public required double CalibrationSlope { get; init; }

    /// <summary>Judges scored rows.</summary>
    public static EvaluationReport Of(ScoredRows rows)
    {
        int frauds = rows.IsFraud.AsSpan().Count(true);
        bool hasBoth = frauds > 0 && frauds < rows.Count;
        return new()
        {
            Rows = rows.Count,
            Frauds = frauds,
            AreaUnderRoc = Ranking.AreaUnderRoc(rows.Scores, rows.IsFraud),
            AveragePrecision = Ranking.AveragePrecision(rows.Scores, rows.IsFraud),
            CardPrecision = Evaluation.CardPrecision.AtTop(rows, CardsPerDay),
            CardPrecisionPerfect = Evaluation.CardPrecision.Perfect(rows, CardsPerDay),
            RecallAt001 = Ranking.RecallAt(0.001, rows.Scores, rows.IsFraud),
            RecallAt01 = Ranking.RecallAt(0.01, rows.Scores, rows.IsFraud),
            LogLoss = Reliability.LogLoss(rows.Scores, rows.IsFraud),
            CalibrationError = Reliability.CalibrationError(rows.Scores, rows.IsFraud),
            CalibrationSlope = hasBoth ? Reliability.Slope(rows.Scores, rows.IsFraud) : double.NaN,
        };
    }

    /// <summary>The figures by the names that reports and manifests use.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures =>
    [
        new("rows", Rows),
        new("frauds", Frauds),
        new("auc_roc", AreaUnderRoc),
        new("average_precision", AveragePrecision),
        new("card_precision_100", CardPrecision),
        new("card_precision_100_perfect", CardPrecisionPerfect),
        new("recall_at_fpr_0.001", RecallAt001),
        new("recall_at_fpr_0.01", RecallAt01),
        new("log_loss", LogLoss),
        new("calibration_error", CalibrationError),
        new("calibration_slope", CalibrationSlope),
    ];
}
