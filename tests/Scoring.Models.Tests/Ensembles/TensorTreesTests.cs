using CsCheck;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Trees as compare and matrix products, run by ONNX Runtime, against the plain walk.</summary>
public sealed class TensorTreesTests
{
    private const double Tolerance = 1e-5;

    [Theory]
    [InlineData(20, 1)]
    [InlineData(20, 3)]
    [InlineData(12, 32)]
    [InlineData(12, 64)]
    [InlineData(3, 200)]
    public void Every_mode_scores_as_a_plain_walk_does_at_thresholds_beside_them_and_for_missing_and_infinite_values(int treesMax, int leavesMax) =>
        RandomTrees.Ensembles(treesMax, leavesMax).Select(Gen.Int[0, 1_000_000]).Sample(
            (nodes, seed) => AssertScores(nodes, RandomTrees.Rows(nodes, new Random(seed), 48)), iter: 60);

    /// <summary>Values of 24 significant bits: rounding a factor to TF32 or half would show at once.</summary>
    [Fact]
    public void A_leaf_gives_its_value_to_the_last_bit()
    {
        float[] values = [1f / 3, -MathF.PI * 1e6f, 16_777_215, float.MaxValue / 2, -float.MaxValue / 3, 1.17549435e-38f];
        foreach (float value in values)
        {
            var builder = new TreeNodesBuilder(1);
            builder.BeginTree();
            int root = builder.AddBranch(TreeNodeMode.AtMost, 0, 0.5f);
            int left = builder.AddLeaf(value);
            builder.Connect(root, left, builder.AddLeaf(-value));
            TreeNodes nodes = builder.Build();
            Assert.Equal([value, -value], Run(nodes, [[0], [1]]));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_chain_as_deep_as_is_taken_scores_like_the_walk(bool turnsRight)
    {
        var builder = new TreeNodesBuilder(1);
        builder.BeginTree();
        int above = builder.AddBranch(TreeNodeMode.AtMost, 0, 0);
        for (int i = 1; i < TensorTrees.LeavesMax - 1; i++)
        {
            int leaf = builder.AddLeaf(i);
            int next = builder.AddBranch(TreeNodeMode.AtMost, 0, turnsRight ? i : -i);
            builder.Connect(above, turnsRight ? leaf : next, turnsRight ? next : leaf);
            above = next;
        }

        int last = builder.AddLeaf(1_000);
        builder.Connect(above, last, builder.AddLeaf(2_000));
        TreeNodes nodes = builder.Build();
        AssertScores(nodes, [.. Enumerable.Range(-600, 1_200).Select(x => (float[])[x]), [float.NaN], [float.PositiveInfinity], [float.NegativeInfinity]]);
    }

    [Fact]
    public void An_ensemble_as_large_as_trained_ones_scores_like_the_compiled_trees()
    {
        TreeNodes nodes = RandomTrees.Make(new Random(21), 30, 500, 31, [TreeNodeMode.AtMost], leavesMin: 31);
        float[][] rows = RandomTrees.Rows(nodes, new Random(22), 300);
        AssertClose(Blocks.Score(TreeEnsemble.Compile(nodes), rows), Run(nodes, rows));
    }

    /// <summary>The launch itself, wherever there is one to make. <c>FRAUDSCORING_CUDA_LIBRARY</c> may name a plugin's library.</summary>
    [Fact]
    public void On_a_CUDA_device_an_ensemble_scores_like_the_compiled_trees()
    {
        ExecutionProvider? cuda = ExecutionProvider.OpenCuda(Environment.GetEnvironmentVariable("FRAUDSCORING_CUDA_LIBRARY"), 0, out DeviceFault? fault);
        Assert.SkipWhen(cuda is null, $"no CUDA device: {fault?.Sentence}");
        for (int seed = 0; seed < 20; seed++)
        {
            TreeNodes nodes = RandomTrees.Make(new Random(seed), 30, 200, 64, RandomTrees.AllModes);
            float[][] rows = RandomTrees.Rows(nodes, new Random(seed), 1_100);
            AssertClose(Blocks.Score(TreeEnsemble.Compile(nodes), rows), Run(nodes, rows, cuda));
        }
    }

    [Fact]
    public void What_exceeds_a_bound_is_not_written_and_the_reason_names_it()
    {
        Assert.Contains("513 leaves, more than 512", Refusal(RandomTrees.Make(new Random(1), 3, 1, 513, [TreeNodeMode.AtMost], leavesMin: 513)), StringComparison.Ordinal);
        Assert.Contains("intermediate values per row, more than", Refusal(RandomTrees.Make(new Random(2), 3, 9_000, 8, [TreeNodeMode.AtMost], leavesMin: 8)), StringComparison.Ordinal);
        Assert.Contains("path matrices", Refusal(RandomTrees.Make(new Random(3), 3, 60, 400, [TreeNodeMode.AtMost], leavesMin: 400)), StringComparison.Ordinal);
    }

    private static string Refusal(TreeNodes nodes)
    {
        Assert.Null(TensorTrees.Write(TreeEnsemble.Compile(nodes), out string reason));
        return reason;
    }

    private static void AssertScores(TreeNodes nodes, float[][] rows) =>
        AssertClose([.. rows.Select(row => RandomTrees.Walk(nodes, row))], Run(nodes, rows));

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int row = 0; row < expected.Length; row++)
            Assert.Equal(expected[row], actual[row], Tolerance);
    }

    // Through the bytes and our own check, as any file: the graph stays within the list of operators.
    private static double[] Run(TreeNodes nodes, float[][] rows, ExecutionProvider? provider = null)
    {
        OnnxModel? model = TensorTrees.Write(TreeEnsemble.Compile(nodes), out string reason);
        Assert.True(model is not null, reason);
        CheckedOnnx? onnx = OnnxCheck.Check(OnnxWriter.Write(model), out IReadOnlyList<OnnxFault> faults);
        Assert.True(onnx is not null, string.Join("; ", faults));
        using NeuralNetwork? session = NeuralNetwork.Create(onnx, out reason, provider: provider);
        Assert.True(session is not null, reason);
        var margins = new double[rows.Length];
        session.Score(rows.SelectMany(row => row).ToArray(), rows.Length, margins);
        return margins;
    }
}
