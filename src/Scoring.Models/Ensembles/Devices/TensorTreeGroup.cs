using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>Trees of one size class, padded to the largest of them: one batched matrix product.</summary>
internal sealed class TensorTreeGroup(TensorTree[] trees, int featureCount)
{
    private const int Pieces = 3;

    // Bits of a float32 that TF32 does not keep.
    private const uint BelowTf32 = 0x1FFF;

    private readonly int testCount = Math.Max(1, trees.Max(tree => tree.Tests.Count));
    private readonly int leafCount = trees.Max(tree => tree.LeafCount);

    /// <summary>Tests and leaves, padding included.</summary>
    internal long ValuesPerRow => (long)trees.Length * (testCount + leafCount);

    /// <summary>Cells of the path matrices.</summary>
    internal long PathCells => (long)trees.Length * testCount * leafCount;

    /// <summary>Whether a test reads a feature with its sign turned.</summary>
    internal bool ReadsNegated => Array.Exists(trees, tree => tree.Tests.Any(test => test.Negated));

    /// <summary>Adds the group's constants and nodes.</summary>
    /// <param name="prefix">Of all names.</param>
    /// <param name="source">Features [F, N], or [2 F, N] with the negated ones behind.</param>
    /// <param name="nodes">Nodes so far.</param>
    /// <param name="constants">Constants so far.</param>
    /// <returns>Name of the group's sum per row, [N] double.</returns>
    internal string Write(string prefix, string source, List<OnnxNode> nodes, List<OnnxTensor> constants)
    {
        string thresholds = WriteTests(prefix, nodes, constants);
        WriteLeaves(prefix, constants);
        nodes.Add(TensorTrees.Node("Gather", [source, prefix + "indices"], prefix + "tested", OnnxSetting.Of("axis", 0L)));
        nodes.Add(TensorTrees.Node("LessOrEqual", [prefix + "tested", thresholds], prefix + "holds"));
        nodes.Add(TensorTrees.Node("Cast", [prefix + "holds"], prefix + "tests", OnnxSetting.Of("to", (long)OnnxElementType.Float)));
        nodes.Add(TensorTrees.Node("MatMul", [prefix + "ways", prefix + "tests"], prefix + "counts"));
        nodes.Add(TensorTrees.Node("Equal", [prefix + "counts", prefix + "due"], prefix + "is_reached"));
        nodes.Add(TensorTrees.Node("Cast", [prefix + "is_reached"], prefix + "reached", OnnxSetting.Of("to", (long)OnnxElementType.Float)));
        nodes.Add(TensorTrees.Node("MatMul", [prefix + "values", prefix + "reached"], prefix + "pieces"));
        nodes.Add(TensorTrees.Node("Cast", [prefix + "pieces"], prefix + "double_pieces", OnnxSetting.Of("to", (long)OnnxElementType.Double)));
        nodes.Add(TensorTrees.Node("ReduceSum", [prefix + "double_pieces", "tree_axes"], prefix + "sum", OnnxSetting.Of("keepdims", 0L)));
        return prefix + "sum";
    }

    private string WriteTests(string prefix, List<OnnxNode> nodes, List<OnnxTensor> constants)
    {
        var indices = new long[trees.Length * testCount];
        var thresholds = new float[indices.Length];
        var excess = new float[indices.Length];
        for (int tree = 0; tree < trees.Length; tree++)
        {
            for (int i = 0; i < trees[tree].Tests.Count; i++)
            {
                TensorTest test = trees[tree].Tests[i];
                int at = (tree * testCount) + i;
                indices[at] = test.Feature + (test.Negated ? featureCount : 0);
                thresholds[at] = Math.Clamp(test.Threshold, float.MinValue, float.MaxValue);
                excess[at] = float.IsInfinity(test.Threshold) ? thresholds[at] : 0;
            }
        }

        constants.Add(OnnxTensor.Of(prefix + "indices", indices, trees.Length, testCount));
        constants.Add(OnnxTensor.Of(prefix + "thresholds", thresholds, trees.Length, testCount, 1));
        if (!Array.Exists(excess, value => value != 0))
            return prefix + "thresholds";

        // No constant of a model that is taken is infinite; twice the largest float is.
        constants.Add(OnnxTensor.Of(prefix + "excess", excess, trees.Length, testCount, 1));
        nodes.Add(TensorTrees.Node("Add", [prefix + "thresholds", prefix + "excess"], prefix + "all_thresholds"));
        return prefix + "all_thresholds";
    }

    private void WriteLeaves(string prefix, List<OnnxTensor> constants)
    {
        var ways = new float[trees.Length * leafCount * testCount];
        var due = new float[trees.Length * leafCount];
        var values = new float[trees.Length * Pieces * leafCount];
        Array.Fill(due, 0.5f); // Padding: no sum of whole numbers is one half.
        for (int tree = 0; tree < trees.Length; tree++)
        {
            for (int leaf = 0; leaf < trees[tree].LeafCount; leaf++)
            {
                TensorLeaf given = trees[tree].Leaves[leaf];
                int at = (tree * leafCount) + leaf;
                due[at] = given.Due;
                foreach ((int test, int weight) in given.Way)
                    ways[(at * testCount) + test] = weight;
                float rest = given.Value;
                for (int piece = 0; piece < Pieces; piece++)
                {
                    float kept = piece == Pieces - 1 ? rest : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(rest) & ~BelowTf32);
                    values[(((tree * Pieces) + piece) * leafCount) + leaf] = kept;
                    rest -= kept;
                }
            }
        }

        constants.Add(OnnxTensor.Of(prefix + "ways", ways, trees.Length, leafCount, testCount));
        constants.Add(OnnxTensor.Of(prefix + "due", due, trees.Length, leafCount, 1));
        constants.Add(OnnxTensor.Of(prefix + "values", values, trees.Length, Pieces, leafCount));
    }
}
