using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Training;

/// <summary>Leaves out what is blocked in the field: transactions of accounts that are known to be compromised on that day.</summary>
internal static class CompromisedAccounts
{
    /// <summary>
    /// Of <paramref name="rows"/>, those whose account has no fraud in [<paramref name="knownFromMs"/>, start of the row's day - <paramref name="delayMs"/>).
    /// Days are days of UTC. With the first day of training and a delay of 7 days this is the Handbook's rule.
    /// </summary>
    public static List<int> Remove(FeatureTable table, IReadOnlyList<int> rows, long knownFromMs, long delayMs)
    {
        var firstFraudMs = new Dictionary<int, long>();
        for (int row = 0; row < table.Count; row++)
        {
            if (table.Label(row) == 1 && table.TimeMs(row) >= knownFromMs)
            {
                firstFraudMs.TryAdd(table.Account(row), table.TimeMs(row));
            }
        }

        var kept = new List<int>(rows.Count);
        foreach (int row in rows)
        {
            long dayStartMs = table.TimeMs(row) / ScoredRows.DayMs * ScoredRows.DayMs;
            bool isKnown = firstFraudMs.TryGetValue(table.Account(row), out long fraudMs) && fraudMs < dayStartMs - delayMs;
            if (!isKnown)
            {
                kept.Add(row);
            }
        }

        return kept;
    }
}
