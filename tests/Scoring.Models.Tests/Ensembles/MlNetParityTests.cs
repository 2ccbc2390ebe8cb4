using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Our engine against ML.NET's own predictions of FastTree ensembles that ML.NET trained.</summary>
public sealed class MlNetParityTests
{
    private const int FeatureCount = 12;

    [Theory]
    [InlineData(1, 2)]
    [InlineData(50, 20)]
    [InlineData(100, 32)]
    [InlineData(40, 64)]
    [InlineData(20, 120)]
    [InlineData(1_000, 8)]
    public void Margins_are_those_of_FastTree(int treeCount, int leafCount)
    {
        var context = new MLContext(seed: 1);
        BinaryPredictionTransformer<CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>> trained =
            context.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
            {
                NumberOfTrees = treeCount,
                NumberOfLeaves = leafCount,
                MinimumExampleCountPerLeaf = 2,
                NumberOfThreads = 1,
                LearningRate = 0.1,
            }).Fit(context.Data.LoadFromEnumerable(MakeExamples(3_000, seed: 2)));
        TreeNodes nodes = FromMlNet(trained.Model.SubModel.TrainedTreeEnsemble);
        Assert.Equal(treeCount, nodes.TreeCount);

        // Ordinary rows, and rows on a threshold, beside it, missing, infinite, denormal.
        Example[] rows = [.. MakeExamples(500, seed: 3), .. RandomTrees.Rows(nodes, new Random(4), 1_000).Select(row => new Example { Features = row })];
        float[] expected = [.. trained.Transform(context.Data.LoadFromEnumerable(rows)).GetColumn<float>("Score")];
        foreach (TreeKernel kernel in Blocks.Kernels)
        {
            double[] actual = Blocks.Score(TreeEnsemble.Compile(nodes, kernel), [.. rows.Select(row => row.Features)]);
            for (int row = 0; row < rows.Length; row++)
                Assert.Equal(expected[row], actual[row], 1e-6 * Math.Max(1, Math.Abs(expected[row])));
        }
    }

    // As the trainer does it: left where x <= threshold; a child below zero is the complement of a leaf number.
    private static TreeNodes FromMlNet(RegressionTreeEnsemble ensemble)
    {
        var builder = new TreeNodesBuilder(FeatureCount) { BaseValue = (float)ensemble.Bias };
        foreach (RegressionTree tree in ensemble.Trees)
        {
            builder.BeginTree();
            int[] branches = [.. Enumerable.Range(0, tree.NumberOfNodes).Select(node => builder.AddBranch(TreeNodeMode.AtMost, tree.NumericalSplitFeatureIndexes[node], tree.NumericalSplitThresholds[node]))];
            int[] leaves = [.. tree.LeafValues.Select(value => builder.AddLeaf((float)value))];
            for (int node = 0; node < branches.Length; node++)
                builder.Connect(branches[node], ChildOf(tree.LeftChild[node]), ChildOf(tree.RightChild[node]));

            int ChildOf(int child) => child >= 0 ? branches[child] : leaves[~child];
        }

        return builder.Build();
    }

    private static Example[] MakeExamples(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] features = [.. Enumerable.Range(0, FeatureCount).Select(_ => (float)((random.NextDouble() * 4) - 2))];
            double logOdds = features[0] + (features[1] * features[2]) - (features[3] > 0.5f ? 2 : 0) + random.NextDouble();
            return new Example { Features = features, Label = logOdds > 0 };
        })];
    }

    private sealed class Example
    {
        [VectorType(FeatureCount)]
        public float[] Features { get; init; } = [];

        public bool Label { get; init; }
    }
}
