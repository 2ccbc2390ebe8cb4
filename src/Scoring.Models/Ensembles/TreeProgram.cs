using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles;

/// <summary>Which kernel scores a tree.</summary>
internal enum TreeShape
{
    /// <summary>At most 32 leaves: one 32-bit word holds the leaves still possible.</summary>
    OneWord,

    /// <summary>At most 64 leaves: two words.</summary>
    TwoWords,

    /// <summary>More leaves, or a test that no mask expresses: node by node.</summary>
    Walk,
}

/// <summary>Where a compiled tree lies in the arrays of its <see cref="TreeProgram"/>.</summary>
/// <param name="Shape">Kernel.</param>
/// <param name="Test">First of its tests; those where NaN goes right come first, padded to an even number, then NaN left, then equality.</param>
/// <param name="MissingRight">Tests <c>!(x &lt;= t)</c>: even.</param>
/// <param name="MissingLeft">Tests <c>x &gt; t</c>.</param>
/// <param name="Unequal">Tests <c>!(x == t)</c>.</param>
/// <param name="Mask">First of its masks, one or two per test.</param>
/// <param name="Leaf">First of its 32 or 64 leaf values.</param>
/// <param name="Root">Its root among the walk nodes.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CompiledTree(TreeShape Shape, int Test, int MissingRight, int MissingLeft, int Unequal, int Mask, int Leaf, int Root);

/// <summary>One node of a walk, 16 bytes, so that a step touches one cache line. A leaf leads to itself.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct WalkNode(float threshold, int featureAndTurn, int left, int right)
{
    /// <summary>Compared with the feature.</summary>
    internal readonly float Threshold = threshold;

    /// <summary>Feature number times 16, plus four bits: whether to go right for NaN, x &lt; t, x &gt; t, x == t.</summary>
    internal readonly int FeatureAndTurn = featureAndTurn;

    /// <summary>Next node.</summary>
    internal readonly int Left = left;

    /// <summary>Next node; the fourth word of the node, behind <see cref="Left"/>: a bit picks one of the two.</summary>
    internal readonly int Right = right;
}

/// <summary>A compiled ensemble: the arrays that the kernels read. Immutable.</summary>
internal sealed class TreeProgram
{
    public required CompiledTree[] Trees { get; init; }

    /// <summary>Feature number times 16 per test: where its 16 rows start in a block.</summary>
    public required int[] Offsets { get; init; }

    public required float[] Thresholds { get; init; }

    /// <summary>Leaves that survive where the test fails.</summary>
    public required uint[] Masks { get; init; }

    public required float[] Leaves { get; init; }

    public required WalkNode[] Nodes { get; init; }

    /// <summary>Leaf value per walk node.</summary>
    public required float[] Values { get; init; }
}
