using System.Globalization;
using Scoring.EndToEnd.Tests.Learning;
using Scoring.Models.Ensembles;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Training;

namespace Scoring.EndToEnd.Tests.Handbook;

/// <summary>A week of the loop: what stood on the scores topic, beside what the first package would have said of the same transactions.</summary>
/// <param name="First">Its first day.</param>
/// <param name="Packages">Packages that scored it.</param>
/// <param name="Loop">The topic's scores, judged.</param>
/// <param name="NeverRetrained">The first package's, judged.</param>
internal sealed record HandbookWeek(DateTimeOffset First, int Packages, EvaluationReport Loop, EvaluationReport NeverRetrained)
{
    /// <summary>Judges a week as the Handbook does: without the customers that were known to be compromised since the week of training that its protocol has for it.</summary>
    /// <param name="first">First day.</param>
    /// <param name="days">Length, days.</param>
    /// <param name="table">Features, outcomes, accounts; from 14 days before on.</param>
    /// <param name="scores">Of the topic.</param>
    /// <param name="neverRetrained">The first package.</param>
    /// <param name="delayMs">Time until a label counts, ms.</param>
    public static HandbookWeek Judge(DateTimeOffset first, int days, FeatureTable table, ScoreLog scores, Ensemble neverRetrained, long delayMs)
    {
        var window = new TimeWindow(first.ToUnixTimeMilliseconds(), first.AddDays(days).ToUnixTimeMilliseconds());
        var rows = CompromisedAccounts.Remove(table, table.Labelled(window), window.FromMs - delayMs - HandbookProtocol.TestMs, delayMs);
        var made = rows.ConvertAll(row => scores.Scores[table.TransactionId(row)]);
        return new(
            first,
            made.Select(score => score.PackageSha256).Distinct(StringComparer.Ordinal).Count(),
            EvaluationReport.Of(TrainingRun.Scored(table, rows, [.. made.Select(score => score.Probability)])),
            EvaluationReport.Of(TrainingRun.Scored(table, rows, PackageScores.Of(neverRetrained, table, rows).Probabilities)));
    }

    /// <summary>Heads of <see cref="ToString"/>.</summary>
    public const string Heads = "from        transactions  frauds  packages   loop: AUC    AP   CP@100   never retrained: AUC    AP   CP@100";

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{First:yyyy-MM-dd}{Loop.Rows,14}{Loop.Frauds,8}{Packages,10}{Loop.AreaUnderRoc,12:0.000}{Loop.AveragePrecision,7:0.000}{Loop.CardPrecision,9:0.000}{NeverRetrained.AreaUnderRoc,20:0.000}{NeverRetrained.AveragePrecision,7:0.000}{NeverRetrained.CardPrecision,9:0.000}");
}
