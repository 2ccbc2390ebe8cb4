namespace Scoring.Models.Ensembles;

/// <summary>Fits the monotone polyline of an isotonic calibration by pooling adjacent violators.</summary>
/// <remarks>Ayer et al., 1955; exact least squares in one pass after the sort. Rows of one score are pooled first.</remarks>
public static class IsotonicFit
{
    /// <summary>Finds the knots.</summary>
    /// <param name="scores">Raw scores, finite.</param>
    /// <param name="isFraud">Outcome of each; both outcomes must occur.</param>
    /// <remarks>Each pool is level from its lowest to its highest score; between pools the line is straight. Pools of one outcome only are kept half a row away from 0 and 1.</remarks>
    /// <exception cref="ArgumentException">The lengths differ, a score is not finite, or there is only one outcome.</exception>
    public static Calibration Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isFraud)
    {
        FitChecks.Count(scores, isFraud);
        var sortedScores = scores.ToArray();
        var sortedOutcomes = isFraud.ToArray();
        Array.Sort(sortedScores, sortedOutcomes);

        var pools = new List<Pool>();
        for (int start = 0; start < sortedScores.Length;)
        {
            int end = start;
            int frauds = 0;
            for (; end < sortedScores.Length && sortedScores[end] == sortedScores[start]; end++)
            {
                frauds += sortedOutcomes[end] ? 1 : 0;
            }

            var pool = new Pool(sortedScores[start], sortedScores[start], frauds, end - start);
            while (pools.Count > 0 && pools[^1].Rate >= pool.Rate)
            {
                pool = pools[^1].Join(pool);
                pools.RemoveAt(pools.Count - 1);
            }

            pools.Add(pool);
            start = end;
        }

        double nearest = 0.5 / (scores.Length + 1.0);
        var knotScores = new List<double>();
        var knotProbabilities = new List<double>();
        foreach (var pool in pools)
        {
            double probability = Math.Clamp(pool.Rate, nearest, 1 - nearest);
            knotScores.Add(pool.Lowest);
            knotProbabilities.Add(probability);
            if (pool.Highest > pool.Lowest)
            {
                knotScores.Add(pool.Highest);
                knotProbabilities.Add(probability);
            }
        }

        return Calibration.Isotonic([.. knotScores], [.. knotProbabilities]);
    }

    private sealed record Pool(double Lowest, double Highest, int Frauds, int Rows)
    {
        public double Rate => (double)Frauds / Rows;

        public Pool Join(Pool above) => new(Lowest, above.Highest, Frauds + above.Frauds, Rows + above.Rows);
    }
}
