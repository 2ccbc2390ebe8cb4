namespace Scoring.Trainer.Evaluation;

/// <summary>Card precision of the k most suspicious cards a day, as the Fraud Detection Handbook defines it.</summary>
internal static class CardPrecision
{
    /// <summary>
    /// Each day the accounts are ranked by their highest score of that day; of the first <paramref name="cardsPerDay"/> the share with a fraud
    /// that day is taken; accounts caught are left out on later days. The mean over days with transactions.
    /// </summary>
    /// <param name="rows">Scored rows in time order; days are days of UTC.</param>
    /// <param name="cardsPerDay">How many accounts the analysts can look at, k.</param>
    /// <remarks>The divisor is always k, so 1 is out of reach where a day has fewer than k compromised accounts. Equal scores: the lower account number first.</remarks>
    public static double AtTop(ScoredRows rows, int cardsPerDay) => Mean(rows, cardsPerDay, rows.Scores);

    /// <summary>What a ranking that knows the truth would reach.</summary>
    public static double Perfect(ScoredRows rows, int cardsPerDay) =>
        Mean(rows, cardsPerDay, [.. rows.IsFraud.Select(isFraud => isFraud ? 1.0 : 0.0)]);

    private static double Mean(ScoredRows rows, int cardsPerDay, double[] scores)
    {
        var caught = new HashSet<int>();
        var precisions = new List<double>();
        for (int start = 0; start < rows.Count;)
        {
            long day = rows.TimesMs[start] / ScoredRows.DayMs;
            var cards = new Dictionary<int, (double Score, bool IsFraud)>();
            int end = start;
            for (; end < rows.Count && rows.TimesMs[end] / ScoredRows.DayMs == day; end++)
            {
                int account = rows.Accounts[end];
                if (!caught.Contains(account))
                {
                    var card = cards.GetValueOrDefault(account, (Score: double.NegativeInfinity, IsFraud: false));
                    cards[account] = (Math.Max(card.Score, scores[end]), card.IsFraud || rows.IsFraud[end]);
                }
            }

            var compromised = cards
                .OrderByDescending(card => card.Value.Score).ThenBy(card => card.Key)
                .Take(cardsPerDay)
                .Where(card => card.Value.IsFraud)
                .Select(card => card.Key)
                .ToList();
            precisions.Add((double)compromised.Count / cardsPerDay);
            caught.UnionWith(compromised);
            start = end;
        }

        return precisions.Count == 0 ? double.NaN : precisions.Average();
    }
}
