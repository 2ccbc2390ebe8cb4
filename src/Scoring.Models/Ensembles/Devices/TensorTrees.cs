using System.Numerics;
using System.Reflection;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>Writes an ensemble of trees as compare and matrix products, operators for which every device has kernels.</summary>
/// <remarks>
/// The GEMM strategy of Hummingbird (Nakandala et al., OSDI 2020), all trees in one product. ONNX Runtime has no tree kernel outside the CPU.
/// 1. Every test of every tree at once: <c>x[feature] &lt;= threshold</c>, 0 or 1. NaN compares false.
/// 2. Path matrix times tests counts, per leaf, the tests on its way that went its way; the leaf with all of them is the one reached.
///    Whole numbers below 2,048: exact in float32, and in TF32, to which ONNX Runtime lets CUDA round the factors of a product.
/// 3. Leaf values times reached, each value in three pieces of at most 11 significant bits, so that TF32 takes nothing from them either.
/// 4. The pieces are added up in double.
/// Selection is exact, therefore; margins differ from <see cref="TreeEnsemble"/> by the order of double additions alone. Denormal
/// features may be taken for zero by a device.
/// </remarks>
public static class TensorTrees
{
    /// <summary>Most leaves of one tree.</summary>
    public const int LeavesMax = 512;

    /// <summary>Most intermediate values per row: tests and leaves of all trees, padded. A row takes 9 bytes for each: 1.2 GB for 1,024 rows at this bound.</summary>
    public const int ValuesPerRowMax = 1 << 17;

    /// <summary>Most cells of all path matrices: 32 MiB of float32. 200 trees of 31 leaves have 198,400; 2,000 of 64 leaves 8,064,000.</summary>
    public const int PathCellsMax = 1 << 23;

    /// <summary>Name of the input, [N, <see cref="TreeEnsemble.FeatureCount"/>] float32.</summary>
    public const string Features = "features";

    /// <summary>Name of the output, [N] double: margins as <see cref="TreeEnsemble.Score"/> gives them.</summary>
    public const string Margins = "margins";

    private const int LeavesLeast = 16;

    /// <summary>The ensemble as a graph of core operators.</summary>
    /// <param name="trees">Compiled trees.</param>
    /// <param name="reason">Which bound they exceed, where the answer is null.</param>
    public static OnnxModel? Write(TreeEnsemble trees, out string reason)
    {
        ArgumentNullException.ThrowIfNull(trees);
        TensorTree[] parts = [.. trees.Program.Trees.Select(tree => TensorTree.Of(trees.Program, tree.Root))];
        if (Array.FindIndex(parts, tree => tree.LeafCount > LeavesMax) is var large and >= 0)
        {
            reason = $"tree {large} has {parts[large].LeafCount} leaves, more than {LeavesMax}";
            return null;
        }

        // Trees of one size class share a product; trained ensembles have one class.
        TensorTreeGroup[] groups = [.. parts
            .GroupBy(tree => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(tree.LeafCount, LeavesLeast)))
            .OrderBy(group => group.Key)
            .Select(group => new TensorTreeGroup([.. group], trees.FeatureCount))];
        long valuesPerRow = groups.Sum(group => group.ValuesPerRow), pathCells = groups.Sum(group => group.PathCells);
        reason = valuesPerRow > ValuesPerRowMax ? $"{valuesPerRow} intermediate values per row, more than {ValuesPerRowMax}"
            : pathCells > PathCellsMax ? $"path matrices of {pathCells} cells, more than {PathCellsMax}"
            : "";
        return reason.Length > 0 ? null : Write(trees, groups);
    }

    private static OnnxModel Write(TreeEnsemble trees, TensorTreeGroup[] groups)
    {
        var nodes = new List<OnnxNode> { Node("Transpose", [Features], "columns", OnnxSetting.Of("perm", (long[])[1, 0])) };
        var constants = new List<OnnxTensor>
        {
            OnnxTensor.Of("tree_axes", (ReadOnlySpan<long>)[0, 1], 2),
            OnnxTensor.Of("scale", (ReadOnlySpan<double>)[trees.Nodes.Average ? 1.0 / trees.TreeCount : 1.0]),
            OnnxTensor.Of("base", (ReadOnlySpan<double>)[trees.Nodes.BaseValue]),
        };
        string source = "columns";
        if (Array.Exists(groups, group => group.ReadsNegated))
        {
            nodes.Add(Node("Neg", ["columns"], "negated"));
            nodes.Add(Node("Concat", ["columns", "negated"], "both_signs", OnnxSetting.Of("axis", 0L)));
            source = "both_signs";
        }

        string sum = "";
        for (int i = 0; i < groups.Length; i++)
        {
            string made = groups[i].Write($"group_{i}/", source, nodes, constants);
            if (i > 0)
                nodes.Add(Node("Add", [sum, made], $"sum_{i}"));
            sum = i > 0 ? $"sum_{i}" : made;
        }

        nodes.Add(Node("Mul", [sum, "scale"], "scaled"));
        nodes.Add(Node("Add", ["scaled", "base"], Margins));
        return new OnnxModel
        {
            IrVersion = 8,
            ProducerName = "FraudScoring",
            ProducerVersion = typeof(TensorTrees).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version ?? "",
            OperatorSets = [new OnnxOperatorSet("", 17)],
            Graph = new OnnxGraph
            {
                Name = "tensor_trees",
                Nodes = nodes,
                Initializers = constants,
                Inputs = [OnnxValue.Matrix(Features, trees.FeatureCount)],
                Outputs = [new OnnxValue { Name = Margins, ElementType = OnnxElementType.Double, Dimensions = [-1] }],
            },
        };
    }

    internal static OnnxNode Node(string name, IReadOnlyList<string> inputs, string output, params OnnxSetting[] settings) =>
        new() { Operator = name, Inputs = inputs, Outputs = [output], Settings = settings };
}
