namespace Scoring.Models.Definitions;

/// <summary>Finds what a writer probably meant.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the smallest edit distance, when that is at most a third of the name (and at least two edits are allowed).</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            int distance = Distance(name, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>"did you mean x?", or the list of what there is.</summary>
    public static string Fix(string name, IReadOnlyCollection<string> candidates) =>
        Of(name, candidates) is { } nearest ? $"did you mean \"{nearest}\"?"
        : candidates.Count == 0 ? "remove it"
        : $"use one of {string.Join(", ", candidates)}";

    // Optimal string alignment: insert, delete, replace, swap neighbours.
    private static int Distance(string left, string right)
    {
        var rows = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (int j = 0; j <= right.Length; j++)
        {
            rows[0, j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            for (int j = 1; j <= right.Length; j++)
            {
                int replace = Same(left[i - 1], right[j - 1]) ? 0 : 1;
                int distance = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + replace);
                if (i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]))
                {
                    distance = Math.Min(distance, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = distance;
            }
        }

        return rows[left.Length, right.Length];

        static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
    }
}
