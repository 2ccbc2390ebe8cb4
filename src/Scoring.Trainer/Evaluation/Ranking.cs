namespace Scoring.Trainer.Evaluation;

/// <summary>How well scores rank frauds above the rest. Each measure is NaN when one outcome does not occur.</summary>
internal static class Ranking
{
    /// <summary>Area under the ROC curve: the share of (fraud, honest) pairs in the right order, ties counted half.</summary>
    public static double AreaUnderRoc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        var groups = Groups(scores, isFraud);
        double honestAbove = 0;
        double inversions = 0;
        double frauds = 0;
        foreach (var (groupFrauds, groupHonest) in groups)
        {
            inversions += groupFrauds * (honestAbove + (0.5 * groupHonest));
            honestAbove += groupHonest;
            frauds += groupFrauds;
        }

        return frauds == 0 || honestAbove == 0 ? double.NaN : 1 - (inversions / (frauds * honestAbove));
    }

    /// <summary>Average precision as scikit-learn defines it: the sum over thresholds of precision times the recall gained; rows of one score are one threshold.</summary>
    public static double AveragePrecision(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        double frauds = isFraud.Count(true);
        double sum = 0;
        double fraudsAbove = 0;
        double rowsAbove = 0;
        foreach (var (groupFrauds, groupHonest) in Groups(scores, isFraud))
        {
            fraudsAbove += groupFrauds;
            rowsAbove += groupFrauds + groupHonest;
            sum += groupFrauds * (fraudsAbove / rowsAbove);
        }

        return frauds == 0 || frauds == isFraud.Length ? double.NaN : sum / frauds;
    }

    /// <summary>The largest share of frauds caught by a threshold that raises at most this share of honest rows.</summary>
    public static double RecallAt(double falsePositiveRate, ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        double frauds = isFraud.Count(true);
        double honest = isFraud.Length - frauds;
        double caught = 0;
        double raised = 0;
        foreach (var (groupFrauds, groupHonest) in Groups(scores, isFraud))
        {
            if (raised + groupHonest > falsePositiveRate * honest)
            {
                break;
            }

            caught += groupFrauds;
            raised += groupHonest;
        }

        return frauds == 0 || honest == 0 ? double.NaN : caught / frauds;
    }

    // Frauds and honest rows of each distinct score, highest score first.
    private static List<(int Frauds, int Honest)> Groups(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        var sorted = scores.ToArray();
        var outcomes = isFraud.ToArray();
        Array.Sort(sorted, outcomes);
        var groups = new List<(int, int)>();
        for (int end = sorted.Length; end > 0;)
        {
            int start = end - 1;
            while (start > 0 && sorted[start - 1] == sorted[end - 1])
            {
                start--;
            }

            int frauds = outcomes.AsSpan(start, end - start).Count(true);
            groups.Add((frauds, end - start - frauds));
            end = start;
        }

        return groups;
    }
}
