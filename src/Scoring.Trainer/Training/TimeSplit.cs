namespace Scoring.Trainer.Training;

/// <summary>Cuts rows in two by time, where a share of the frauds lies before: frauds are what is scarce on either side.</summary>
internal static class TimeSplit
{
    /// <summary>Index of the first row of the later part, or -1 where a part would not hold both outcomes.</summary>
    /// <param name="table">Feature vectors.</param>
    /// <param name="rows">Rows in time order.</param>
    /// <param name="fraudShare">Share of the frauds in the earlier part, between 0 and 1.</param>
    /// <remarks>Rows of one moment are on one side.</remarks>
    public static int At(FeatureTable table, IReadOnlyList<int> rows, double fraudShare)
    {
        int[] frauds = [.. Enumerable.Range(0, rows.Count).Where(i => table.Label(rows[i]) == 1)];
        if (frauds.Length < 2)
        {
            return -1;
        }

        int split = frauds[(int)(frauds.Length * fraudShare)];
        while (split > 0 && table.TimeMs(rows[split - 1]) == table.TimeMs(rows[split]))
        {
            split--;
        }

        return HasBoth(rows.Take(split)) && HasBoth(rows.Skip(split)) ? split : -1;

        bool HasBoth(IEnumerable<int> part) => part.Select(row => table.Label(row) == 1).Distinct().Count() == 2;
    }
}
