using System.Globalization;
using Scoring.Benchmarks.Measuring;

namespace Scoring.Benchmarks.Relay;

/// <summary>What a worker's commits took, as its metrics tell: medians, ms.</summary>
/// <param name="All">A whole one.</param>
/// <param name="Send">Records, beyond the time of the offsets.</param>
/// <param name="Offsets">Offsets that join the transaction.</param>
/// <param name="End">The end of it.</param>
internal sealed record CommitTimes(double All, double Send, double Offsets, double End)
{
    /// <summary>Of the commits between two readings of the metrics.</summary>
    /// <param name="metrics">The later.</param>
    /// <param name="before">The earlier; nothing for all commits.</param>
    public static CommitTimes Of(string metrics, string before = "")
    {
        return new(Median("commit_duration_seconds_bucket{"), OfStep("send"), OfStep("offsets"), OfStep("end"));

        double OfStep(string step) => Median($"commit_step_duration_seconds_bucket{{step=\"{step}\",");

        double Median(string series) => MedianMs(metrics, before, series);
    }

    /// <summary>In the middle of several, each figure by itself.</summary>
    public static CommitTimes MedianOf(IReadOnlyCollection<CommitTimes> several)
    {
        return new(Median(times => times.All), Median(times => times.Send), Median(times => times.Offsets), Median(times => times.End));

        double Median(Func<CommitTimes, double> part) => Ratio.MedianOf(several.Select(part));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{All:F1} ({Send:F1}, {Offsets:F1}, {End:F1})");

    /// <summary>Middle of what a histogram gained, between two of its bounds in even parts.</summary>
    private static double MedianMs(string metrics, string before, string series)
    {
        var earlier = Buckets(before, series).ToDictionary();
        var buckets = Buckets(metrics, series).Select(bucket => (bucket.Bound, Count: bucket.Count - earlier.GetValueOrDefault(bucket.Bound))).ToList();
        if (buckets.Count == 0 || buckets[^1].Count == 0)
        {
            return double.NaN;
        }

        double half = buckets[^1].Count / 2;
        int at = buckets.FindIndex(bucket => bucket.Count >= half);
        var below = at == 0 ? (Bound: 0, Count: 0) : buckets[at - 1];
        return 1_000 * (below.Bound + ((buckets[at].Bound - below.Bound) * (half - below.Count) / (buckets[at].Count - below.Count)));
    }

    private static IEnumerable<(double Bound, double Count)> Buckets(string metrics, string series)
    {
        string name = $"fraudscoring_{series}le=\"";
        return metrics.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => line[name.Length..].Split("\"} "))
            .Select(part => (part[0] is "+Inf" ? double.PositiveInfinity : double.Parse(part[0], CultureInfo.InvariantCulture), double.Parse(part[1], CultureInfo.InvariantCulture)));
    }
}
