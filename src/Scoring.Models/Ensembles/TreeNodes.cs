namespace Scoring.Models.Ensembles;

/// <summary>An ensemble as a plain table: what trainers and files fill in, what the compiler, the ONNX writer and the explanations read.</summary>
/// <remarks>
/// One row per node, the nodes of a tree side by side, its root first. Children are row numbers. Made by <see cref="TreeNodesBuilder"/>
/// or read from a file; either way checked: every node but a root has one parent, all are reached, no tree is deeper than
/// <see cref="TreeStructure.DepthMax"/>. Thresholds and weights are float32 because ONNX stores them so: the file is the model.
/// </remarks>
public sealed record TreeNodes
{
    /// <summary>Features per row, at least 1.</summary>
    public required int FeatureCount { get; init; }

    /// <summary>First node of each tree, ascending.</summary>
    public required ReadOnlyMemory<int> Roots { get; init; }

    /// <summary>Test of each node.</summary>
    public required ReadOnlyMemory<TreeNodeMode> Modes { get; init; }

    /// <summary>Feature that the node tests; 0 at leaves.</summary>
    public required ReadOnlyMemory<int> Features { get; init; }

    /// <summary>Threshold of the test, never NaN; 0 at leaves.</summary>
    public required ReadOnlyMemory<float> Thresholds { get; init; }

    /// <summary>Whether a missing value (NaN) takes the true branch.</summary>
    public required ReadOnlyMemory<bool> MissingIsTrue { get; init; }

    /// <summary>Node where the test holds; -1 at leaves.</summary>
    public required ReadOnlyMemory<int> TrueNodes { get; init; }

    /// <summary>Node where it does not; -1 at leaves.</summary>
    public required ReadOnlyMemory<int> FalseNodes { get; init; }

    /// <summary>What a leaf adds to the margin, finite; 0 at branches.</summary>
    public required ReadOnlyMemory<float> Weights { get; init; }

    /// <summary>Training rows (or their weight) that came through each node, for exact explanations; empty when not known.</summary>
    public ReadOnlyMemory<float> Covers { get; init; }

    /// <summary>Added once to the margin.</summary>
    public float BaseValue { get; init; }

    /// <summary>Whether the weights are averaged over the trees instead of summed.</summary>
    public bool Average { get; init; }

    /// <summary>What turns the margin into the model's own output.</summary>
    public TreePostTransform PostTransform { get; init; }

    /// <summary>Trees in the ensemble.</summary>
    public int TreeCount => Roots.Length;

    /// <summary>Nodes of all trees, leaves included.</summary>
    public int NodeCount => Modes.Length;

    /// <summary>One past the last node of a tree.</summary>
    internal int EndOf(int tree) => tree + 1 < Roots.Length ? Roots.Span[tree + 1] : NodeCount;
}
