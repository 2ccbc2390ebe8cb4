using Microsoft.ML.Data;

namespace Scoring.Benchmarks.Trees;

/// <summary>A row as ML.NET takes it.</summary>
internal sealed class ScoredRow
{
    /// <summary>Features of a row.</summary>
    public const int FeatureCount = 40;

    /// <summary>The values.</summary>
    [VectorType(FeatureCount)]
    public float[] Features { get; set; } = [];

    /// <summary>The truth, for training.</summary>
    public bool Label { get; set; }
}
