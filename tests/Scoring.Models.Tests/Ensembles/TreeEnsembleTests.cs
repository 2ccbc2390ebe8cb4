using CsCheck;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

public sealed class TreeEnsembleTests
{
    public static TheoryData<int, int> Sizes => new()
    {
        { 1, 1 }, { 20, 3 }, { 20, 32 }, { 20, 64 }, { 5, 200 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_kernel_gives_what_a_plain_walk_gives(int treesMax, int leavesMax) =>
        RandomTrees.Ensembles(treesMax, leavesMax).Select(Gen.Int[0, 1_000_000]).Sample(
            (nodes, seed) =>
            {
                float[][] rows = RandomTrees.Rows(nodes, new Random(seed), 48);
                double[] expected = [.. rows.Select(row => RandomTrees.Walk(nodes, row))];
                foreach (TreeKernel kernel in Blocks.Kernels)
                {
                    TreeEnsemble trees = TreeEnsemble.Compile(nodes, kernel);
                    AssertClose(expected, Blocks.Score(trees, rows));
                    AssertClose(expected, [.. rows.Select(row => trees.ScoreOne(row))]);
                }
            },
            iter: 300);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(32, 32)]
    [InlineData(33, 33)]
    [InlineData(64, 64)]
    [InlineData(65, 65)]
    public void The_shape_of_a_tree_picks_its_kernel_and_the_edges_between_them_are_right(int leavesMin, int leavesMax)
    {
        TreeNodes nodes = RandomTrees.Make(new Random(leavesMax), 6, 40, leavesMax, [TreeNodeMode.AtMost], leavesMin: leavesMin);
        TreeShape due = leavesMax <= 32 ? TreeShape.OneWord : leavesMax <= 64 ? TreeShape.TwoWords : TreeShape.Walk;
        Assert.All(TreeCompiler.Compile(nodes).Trees, tree => Assert.Equal(due, tree.Shape));
        float[][] rows = RandomTrees.Rows(nodes, new Random(1), 4_096);
        double[] expected = [.. rows.Select(row => RandomTrees.Walk(nodes, row))];
        foreach (TreeKernel kernel in Blocks.Kernels)
            AssertClose(expected, Blocks.Score(TreeEnsemble.Compile(nodes, kernel), rows));
    }

    [Fact]
    public void A_chain_as_deep_as_is_taken_scores_and_one_deeper_is_refused()
    {
        TreeNodes deepest = Chain(TreeStructure.DepthMax);
        TreeEnsemble trees = TreeEnsemble.Compile(deepest);
        float[] row = [300.5f];
        Assert.Equal(RandomTrees.Walk(deepest, row), trees.ScoreOne(row));
        var refusal = Assert.Throws<InvalidOperationException>(() => Chain(TreeStructure.DepthMax + 1));
        Assert.Contains("deeper than 512", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_score_of_a_block_allocates_nothing()
    {
        TreeNodes nodes = RandomTrees.Make(new Random(3), 8, 50, 100, RandomTrees.AllModes);
        foreach (TreeKernel kernel in Blocks.Kernels)
        {
            TreeEnsemble trees = TreeEnsemble.Compile(nodes, kernel);
            var block = new float[8 * TreeEnsemble.BlockRows];
            var row = new float[8];
            var margins = new double[TreeEnsemble.BlockRows];
            trees.Score(block, margins);
            trees.ScoreOne(row);
            long before = GC.GetAllocatedBytesForCurrentThread();
            trees.Score(block, margins);
            trees.ScoreOne(row);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    public void Spans_of_another_length_are_refused()
    {
        TreeEnsemble trees = TreeEnsemble.Compile(Chain(3));
        Assert.Throws<ArgumentException>(() => trees.Score(new float[15], new double[16]));
        Assert.Throws<ArgumentException>(() => trees.Score(new float[16], new double[15]));
        Assert.Throws<ArgumentException>(() => trees.ScoreOne(new float[2]));
    }

    private static TreeNodes Chain(int depth)
    {
        var builder = new TreeNodesBuilder(1);
        builder.BeginTree();
        int[] branches = [.. Enumerable.Range(0, depth).Select(level => builder.AddBranch(TreeNodeMode.AtMost, 0, level))];
        int[] leaves = [.. Enumerable.Range(0, depth + 1).Select(level => builder.AddLeaf(level))];
        for (int level = 0; level < depth; level++)
            builder.Connect(branches[level], leaves[level], level + 1 < depth ? branches[level + 1] : leaves[depth]);
        return builder.Build();
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        for (int row = 0; row < expected.Length; row++)
            Assert.Equal(expected[row], actual[row], 1e-12);
    }
}
