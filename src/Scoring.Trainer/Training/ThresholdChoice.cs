using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Training;

/// <summary>Thresholds for definitions that state none: from a review budget and a precision, on rows the model has not learnt from.</summary>
internal static class ThresholdChoice
{
    /// <summary>
    /// Review: the lowest score at which at most <paramref name="reviewsPerDay"/> rows a day are at or above it. Decline: the lowest score from which
    /// on <paramref name="declinePrecision"/> of the rows are frauds, never below review; 1 where no score is that sure.
    /// </summary>
    public static ThresholdsManifest Choose(ScoredRows rows, int reviewsPerDay, double declinePrecision)
    {
        var order = Enumerable.Range(0, rows.Count).OrderByDescending(row => rows.Scores[row]).ToArray();
        double days = Math.Max(1, rows.TimesMs.Select(timeMs => timeMs / ScoredRows.DayMs).Distinct().Count());
        double review = 1;
        double decline = 1;
        int frauds = 0;
        for (int i = 0; i < order.Length; i++)
        {
            frauds += rows.IsFraud[order[i]] ? 1 : 0;
            double score = rows.Scores[order[i]];
            bool endsTie = i + 1 == order.Length || rows.Scores[order[i + 1]] < score;
            if (!endsTie)
            {
                continue;
            }

            if (i + 1 <= reviewsPerDay * days)
            {
                review = score;
            }

            if (frauds >= declinePrecision * (i + 1))
            {
                decline = score;
            }
        }

        string basis = FormattableString.Invariant($"review: {reviewsPerDay} a day; decline: {declinePrecision:P0} of those at or above are frauds; measured on {rows.Count} rows over {days:0} days that the model had not learnt from");
        return new(Math.Min(review, decline), decline, basis);
    }
}
