namespace Scoring.Benchmarks.Trees;

/// <summary>What ML.NET answers.</summary>
internal sealed class ScoredMargin
{
    /// <summary>The margin, log-odds.</summary>
    public float Score { get; set; }
}
