namespace Scoring.Trainer.Evaluation;

/// <summary>Population stability index: how far the distribution of a value has moved.</summary>
/// <remarks>
/// Siddiqi, "Credit Risk Scorecards", Wiley 2006: the sum over bins of (now - then) x ln(now / then), with shares of rows; below 0.1 little has
/// moved, from 0.25 on much has. Bins are the deciles of then, and one of its own for missing values. Half a row is added to each bin, so
/// that an empty one says much, but not everything.
/// </remarks>
internal static class PopulationStability
{
    private const int Deciles = 10;

    /// <summary>The index of two samples; 0 where one is empty.</summary>
    /// <param name="then">Values of the earlier sample; NaN is missing.</param>
    /// <param name="now">Values of the later one.</param>
    public static double Index(IReadOnlyCollection<double> then, IReadOnlyCollection<double> now)
    {
        if (then.Count == 0 || now.Count == 0)
        {
            return 0;
        }

        double[] edges = Edges(then);
        var (before, after) = (Counts(then, edges), Counts(now, edges));
        double index = 0;
        for (int bin = 0; bin < before.Length; bin++)
        {
            double shareThen = (before[bin] + 0.5) / (then.Count + (0.5 * before.Length));
            double shareNow = (after[bin] + 0.5) / (now.Count + (0.5 * after.Length));
            index += (shareNow - shareThen) * Math.Log(shareNow / shareThen);
        }

        return index;
    }

    // Upper ends of all bins but the last; of a value that takes up several deciles there is one.
    private static double[] Edges(IEnumerable<double> then)
    {
        double[] sorted = [.. then.Where(value => !double.IsNaN(value)).Order()];
        return sorted.Length == 0 ? [] : [.. Enumerable.Range(1, Deciles - 1).Select(decile => sorted[(int)((long)sorted.Length * decile / Deciles)]).Distinct()];
    }

    // The last bin is of the missing.
    private static int[] Counts(IEnumerable<double> values, double[] edges)
    {
        var counts = new int[edges.Length + 2];
        foreach (double value in values)
        {
            int found = Array.BinarySearch(edges, value);
            counts[double.IsNaN(value) ? edges.Length + 1 : found < 0 ? ~found : found]++;
        }

        return counts;
    }
}
