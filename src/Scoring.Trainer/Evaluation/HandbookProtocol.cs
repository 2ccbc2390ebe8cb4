using Scoring.Trainer.Training;

namespace Scoring.Trainer.Evaluation;

/// <summary>The Fraud Detection Handbook's evaluation: a week of training, a week of delay, a week of test without the cards known to be compromised.</summary>
/// <remarks>Published figures: Le Borgne, Siblini, Lebichot, Bontempi, "Reproducible Machine Learning for Credit Card Fraud Detection", 2022, baseline models.</remarks>
internal static class HandbookProtocol
{
    /// <summary>Length of the test, ms.</summary>
    public const long TestMs = 7 * ScoredRows.DayMs;

    /// <summary>The training week of the published figures, 2018-07-25 to 07-31.</summary>
    public static TimeWindow PublishedTraining { get; } = new(
        new DateTimeOffset(2018, 7, 25, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(),
        new DateTimeOffset(2018, 8, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds());

    /// <summary>Published figures of the single split, default parameters.</summary>
    public static IReadOnlyList<PublishedModel> Published { get; } =
    [
        new("random forest (published)", 0.867, 0.658, 0.287),
        new("XGBoost (published)", 0.862, 0.639, 0.273),
        new("logistic regression (published)", 0.871, 0.606, 0.291),
    ];

    /// <summary>The test that belongs to a training window.</summary>
    public static TimeWindow Test(TimeWindow training, long labelDelayMs) =>
        new(training.ToMs + labelDelayMs, training.ToMs + labelDelayMs + TestMs);

    /// <summary>Rows of the test: labelled, of accounts not yet known to be compromised since the training began.</summary>
    public static List<int> TestRows(FeatureTable table, TimeWindow training, long labelDelayMs) =>
        CompromisedAccounts.Remove(table, table.Labelled(Test(training, labelDelayMs)), training.FromMs, labelDelayMs);
}

/// <summary>A line of the published table.</summary>
/// <param name="Name">Model.</param>
/// <param name="AreaUnderRoc">Area under the ROC curve.</param>
/// <param name="AveragePrecision">Average precision.</param>
/// <param name="CardPrecision">Card precision of 100 a day.</param>
internal sealed record PublishedModel(string Name, double AreaUnderRoc, double AveragePrecision, double CardPrecision);
