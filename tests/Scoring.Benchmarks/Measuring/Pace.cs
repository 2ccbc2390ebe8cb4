namespace Scoring.Benchmarks.Measuring;

/// <summary>How long a contest takes.</summary>
/// <param name="Passes">Times that both sides run, A-B-B-A.</param>
/// <param name="Leg">Shortest CPU time of one side's turn.</param>
/// <param name="WarmUp">CPU time that each side runs before, so that the JIT has recompiled what is hot.</param>
internal sealed record Pace(int Passes, TimeSpan Leg, TimeSpan WarmUp)
{
    /// <summary>For figures that are kept.</summary>
    public static Pace Full { get; } = new(11, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));

    /// <summary>For a machine that only asks whether everything runs.</summary>
    public static Pace Quick { get; } = new(3, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(0.3));
}
