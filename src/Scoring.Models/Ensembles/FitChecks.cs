namespace Scoring.Models.Ensembles;

/// <summary>What every fit asks of its data.</summary>
internal static class FitChecks
{
    public static (int Frauds, int Honest) Count(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        if (scores.Length != isFraud.Length)
        {
            throw new ArgumentException($"{scores.Length} scores and {isFraud.Length} outcomes: as many of both", nameof(isFraud));
        }

        foreach (double score in scores)
        {
            if (!double.IsFinite(score))
            {
                throw new ArgumentException($"a score is {score}: fit on finite ones", nameof(scores));
            }
        }

        int frauds = isFraud.Count(true);
        if (frauds == 0 || frauds == isFraud.Length)
        {
            throw new ArgumentException($"{frauds} of {isFraud.Length} rows are frauds: a fit needs both outcomes", nameof(isFraud));
        }

        return (frauds, isFraud.Length - frauds);
    }
}
