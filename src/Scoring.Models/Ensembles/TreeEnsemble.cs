namespace Scoring.Models.Ensembles;

/// <summary>Form of the block kernel.</summary>
internal enum TreeKernel
{
    Scalar,
    Vector256,
    Vector512,
}

/// <summary>A tree ensemble compiled for scoring. Immutable: any number of threads may score with it at once.</summary>
/// <remarks>Summed in double, in tree order: scores agree with ML.NET and with ONNX Runtime on the same file to 1e-6.</remarks>
public sealed class TreeEnsemble
{
    /// <summary>Rows per block.</summary>
    public const int BlockRows = 16;

    private readonly TreeKernel kernel;
    private readonly double scale;
    private readonly double baseValue;

    private TreeEnsemble(TreeNodes nodes, TreeKernel kernel)
    {
        Nodes = nodes;
        this.kernel = kernel;
        Program = TreeCompiler.Compile(nodes);
        scale = nodes.Average ? 1.0 / nodes.TreeCount : 1.0;
        baseValue = nodes.BaseValue;
    }

    /// <summary>Features per row.</summary>
    public int FeatureCount => Nodes.FeatureCount;

    /// <summary>Trees in the ensemble.</summary>
    public int TreeCount => Nodes.TreeCount;

    /// <summary>What turns a margin into the model's own output.</summary>
    public TreePostTransform PostTransform => Nodes.PostTransform;

    /// <summary>The table that was compiled.</summary>
    public TreeNodes Nodes { get; }

    internal TreeProgram Program { get; }

    /// <summary>Compiles a table for this machine.</summary>
    /// <exception cref="ArgumentException">The nodes are not sound trees, or hold a set membership test.</exception>
    public static TreeEnsemble Compile(TreeNodes nodes) =>
        Compile(nodes, TreeKernels.HasVector512 ? TreeKernel.Vector512 : System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated ? TreeKernel.Vector256 : TreeKernel.Scalar);

    /// <summary>The same with a chosen kernel, for tests and benchmarks.</summary>
    internal static TreeEnsemble Compile(TreeNodes nodes, TreeKernel kernel) =>
        TreeStructure.FindFault(nodes) is { } fault
            ? throw new ArgumentException($"tree {fault.Tree}, node {fault.Node}: {fault.What}", nameof(nodes))
            : nodes.Modes.Span.Contains(TreeNodeMode.Member)
                ? throw new ArgumentException("set membership tests have no compiled form", nameof(nodes))
                : new TreeEnsemble(nodes, kernel);

    /// <summary>Scores 16 rows against every tree.</summary>
    /// <param name="block">Feature-major, <c>FeatureCount x 16</c>: value of a feature at <c>feature * 16 + row</c>. NaN is missing.</param>
    /// <param name="margins">16 margins, base value included, before <see cref="PostTransform"/>: log-odds for classifiers.</param>
    /// <exception cref="ArgumentException">A span is not of its stated length.</exception>
    public void Score(ReadOnlySpan<float> block, Span<double> margins)
    {
        if (block.Length != FeatureCount * BlockRows || margins.Length != BlockRows)
            ThrowLengths(block.Length, margins.Length);
        switch (kernel)
        {
            case TreeKernel.Vector512:
                TreeKernels.ScoreVector512(Program, block, margins);
                break;
            case TreeKernel.Vector256:
                TreeKernels.ScoreVector256(Program, block, margins);
                break;
            default:
                TreeKernels.ScoreScalar(Program, block, margins);
                break;
        }

        for (int row = 0; row < BlockRows; row++)
            margins[row] = (margins[row] * scale) + baseValue;
    }

    /// <summary>Scores one row; cheaper than a block of which 15 rows are empty.</summary>
    /// <param name="row"><see cref="FeatureCount"/> values. NaN is missing.</param>
    /// <returns>The margin, base value included, before <see cref="PostTransform"/>.</returns>
    /// <exception cref="ArgumentException">The span is not of its stated length.</exception>
    public double ScoreOne(ReadOnlySpan<float> row)
    {
        if (row.Length != FeatureCount)
            throw new ArgumentException($"{FeatureCount} features are due, got {row.Length}", nameof(row));
        return (TreeKernels.ScoreOne(Program, row) * scale) + baseValue;
    }

    /// <summary>The model's own output for a margin.</summary>
    public double Transform(double margin) =>
        PostTransform == TreePostTransform.Logistic ? 1.0 / (1.0 + Math.Exp(-margin)) : margin;

    private void ThrowLengths(int blockLength, int marginCount) =>
        throw new ArgumentException(
            $"{FeatureCount} features x {BlockRows} rows and {BlockRows} margins are due, got {blockLength} values and {marginCount} margins",
            blockLength != FeatureCount * BlockRows ? "block" : "margins");
}
