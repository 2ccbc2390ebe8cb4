using Scoring.Benchmarks.Measuring;

namespace Scoring.Benchmarks.Relay;

/// <summary>Compares what two processes did in turns.</summary>
internal static class ThroughputRatios
{
    /// <summary>Events by the clock, and by the processor time that they took: more is better in both.</summary>
    /// <param name="name">Whose passes are ours.</param>
    /// <param name="ours">One of each turn.</param>
    /// <param name="rivalName">Whose are the rival's.</param>
    /// <param name="rival">As many.</param>
    /// <param name="goal">What the first ratio is meant to reach.</param>
    public static IEnumerable<Ratio> Of(string name, List<Throughput> ours, string rivalName, List<Throughput> rival, string goal = "") =>
    [
        Compare(name, ours, rivalName, rival, "events/s", "/s", one => one.EventsPerSecond, (mine, its) => mine / its, goal),
        Compare(name, ours, rivalName, rival, "CPU", " CPU s per million", one => one.CpuSecondsPerMillion, (mine, its) => its / mine, ""),
    ];

    private static Ratio Compare(string name, List<Throughput> ours, string rivalName, List<Throughput> rival, string what, string unit, Func<Throughput, double> figure, Func<double, double, double> ratio, string goal) => new()
    {
        Name = $"{name}, {what}",
        Ours = Ratio.Text(Ratio.MedianOf(ours.Select(figure))) + unit,
        Rival = $"{rivalName} {Ratio.Text(Ratio.MedianOf(rival.Select(figure)))}{unit}",
        Of = RatioOf.Speed,
        Passes = [.. ours.Zip(rival, (mine, its) => ratio(figure(mine), figure(its)))],
        Goal = goal,
    };
}
