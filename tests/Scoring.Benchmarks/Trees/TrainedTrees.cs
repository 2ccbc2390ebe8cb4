using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Scoring.Models.Ensembles;

namespace Scoring.Benchmarks.Trees;

/// <summary>A model of the size that is sold: 200 trees of 31 leaves over 40 features, which ML.NET's FastTree grew on synthetic rows.</summary>
internal sealed class TrainedTrees
{
    private const int TreeCount = 200;
    private const int LeafCount = 31;
    private const int TrainingRows = 20_000;

    private readonly MLContext context = new(seed: 1);
    private readonly BinaryPredictionTransformer<CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>> trained;

    /// <summary>Grows it; takes some seconds.</summary>
    public TrainedTrees()
    {
        trained = context.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options
        {
            NumberOfTrees = TreeCount,
            NumberOfLeaves = LeafCount,
            MinimumExampleCountPerLeaf = 5,
            NumberOfThreads = 1,
            LearningRate = 0.1,
        }).Fit(context.Data.LoadFromEnumerable(MakeRows(TrainingRows, seed: 2)));
        Nodes = ToNodes(trained.Model.SubModel.TrainedTreeEnsemble);
    }

    /// <summary>The trees as our table.</summary>
    public TreeNodes Nodes { get; }

    /// <summary>ML.NET's own way to score one row.</summary>
    public PredictionEngine<ScoredRow, ScoredMargin> PredictionEngine() => context.Model.CreatePredictionEngine<ScoredRow, ScoredMargin>(trained);

    /// <summary>Rows like those of a feature plan: counts, amounts with a long tail, shares, and values that are missing.</summary>
    public static ScoredRow[] MakeRows(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => MakeRow(random))];
    }

    private static ScoredRow MakeRow(Random random)
    {
        float[] features = new float[ScoredRow.FeatureCount];
        for (int feature = 0; feature < features.Length; feature++)
        {
            features[feature] = (feature % 4) switch
            {
                0 => random.Next(0, 40),
                1 => (float)Math.Exp(3 + (1.2 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))),
                2 => (float)random.NextDouble(),
                _ => (float)((random.NextDouble() * 4) - 2),
            };
        }

        double logOdds = (0.1 * (features[0] - 20)) + (features[2] * features[3]) + (features[1] > 40 ? 1 : 0) - (features[6] > 0.7f ? features[7] : 0)
            + (0.05 * features[4] * features[10]) + (2 * (random.NextDouble() - 0.5));
        return new ScoredRow { Features = features, Label = logOdds > 0 };
    }

    // Left where x <= threshold; a child below zero is the complement of a leaf number.
    private static TreeNodes ToNodes(RegressionTreeEnsemble ensemble)
    {
        var builder = new TreeNodesBuilder(ScoredRow.FeatureCount) { BaseValue = (float)ensemble.Bias };
        foreach (RegressionTree tree in ensemble.Trees)
        {
            builder.BeginTree();
            int[] branches = [.. Enumerable.Range(0, tree.NumberOfNodes).Select(node => builder.AddBranch(TreeNodeMode.AtMost, tree.NumericalSplitFeatureIndexes[node], tree.NumericalSplitThresholds[node]))];
            int[] leaves = [.. tree.LeafValues.Select(value => builder.AddLeaf((float)value))];
            for (int node = 0; node < branches.Length; node++)
            {
                builder.Connect(branches[node], ChildOf(tree.LeftChild[node]), ChildOf(tree.RightChild[node]));
            }

            int ChildOf(int child) => child >= 0 ? branches[child] : leaves[~child];
        }

        return builder.Build();
    }
}
