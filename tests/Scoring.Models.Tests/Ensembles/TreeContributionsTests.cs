using System.Numerics;
using CsCheck;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

public sealed class TreeContributionsTests
{
    [Theory]
    [InlineData(4, 12, true)]
    [InlineData(3, 30, true)]
    [InlineData(4, 12, false)]
    public void Contributions_are_the_Shapley_values_by_their_definition(int treesMax, int leavesMax, bool covers) =>
        RandomTrees.Ensembles(treesMax, leavesMax).Select(Gen.Int[0, 1_000_000]).Sample(
            (nodes, seed) =>
            {
                if (!covers)
                    nodes = nodes with { Covers = default };
                float[] row = RandomTrees.Rows(nodes, new Random(seed), 1)[0];
                var explanation = new TreeContributions(TreeEnsemble.Compile(nodes));
                Assert.Equal(covers, explanation.HasCovers);
                var contributions = new double[row.Length];
                explanation.Explain(row, contributions);
                double[] expected = ShapleyByDefinition(nodes, row);
                for (int feature = 0; feature < row.Length; feature++)
                    Assert.Equal(expected[feature], contributions[feature], 1e-9);
            },
            iter: 200);

    [Fact]
    public void Contributions_and_bias_add_up_to_the_margin() =>
        RandomTrees.Ensembles(30, 64).Select(Gen.Int[0, 1_000_000]).Sample(
            (nodes, seed) =>
            {
                TreeEnsemble trees = TreeEnsemble.Compile(nodes);
                var explanation = new TreeContributions(trees);
                var contributions = new double[nodes.FeatureCount];
                foreach (float[] row in RandomTrees.Rows(nodes, new Random(seed), 4))
                {
                    explanation.Explain(row, contributions);
                    Assert.Equal(trees.ScoreOne(row), explanation.Bias + contributions.Sum(), 1e-9);
                }
            },
            iter: 200);

    [Fact]
    public void They_add_up_on_other_libraries_models_too()
    {
        foreach (string model in new[] { "lightgbm_binary_nan", "xgboost_binary_300x6", "catboost_binary_200x6", "sklearn_random_forest" })
        {
            TreeEnsemble trees = Scoring.Models.Ensembles.Onnx.OnnxTrees.Read(Scoring.Models.Ensembles.Onnx.OnnxReader.Read(ForeignModels.Read(model + ".onnx"), out _)!).Ensemble!;
            var explanation = new TreeContributions(trees);
            var contributions = new double[trees.FeatureCount];
            foreach (float[] row in ForeignModels.ReadRows(model).Rows.Take(40))
            {
                explanation.Explain(row, contributions);
                Assert.Equal(trees.ScoreOne(row), explanation.Bias + contributions.Sum(), 1e-9);
            }
        }
    }

    // Sum over all coalitions: weight times what the feature adds to the expectation of the coalition.
    private static double[] ShapleyByDefinition(TreeNodes nodes, float[] row)
    {
        int count = row.Length;
        var worth = new double[1 << count];
        for (int coalition = 0; coalition < worth.Length; coalition++)
        {
            foreach (int root in nodes.Roots.Span)
                worth[coalition] += Expectation(nodes, root, row, coalition);
            if (nodes.Average)
                worth[coalition] /= nodes.TreeCount;
        }

        var values = new double[count];
        for (int feature = 0; feature < count; feature++)
        {
            for (int coalition = 0; coalition < worth.Length; coalition++)
            {
                if ((coalition & (1 << feature)) != 0)
                    continue;
                int size = BitOperations.PopCount((uint)coalition);
                double weight = Factorial(size) * Factorial(count - size - 1) / Factorial(count);
                values[feature] += weight * (worth[coalition | (1 << feature)] - worth[coalition]);
            }
        }

        return values;
    }

    private static double Expectation(TreeNodes nodes, int node, float[] row, int coalition)
    {
        if (nodes.Modes.Span[node] == TreeNodeMode.Leaf)
            return nodes.Weights.Span[node];
        int whereTrue = nodes.TrueNodes.Span[node], whereFalse = nodes.FalseNodes.Span[node];
        if ((coalition & (1 << nodes.Features.Span[node])) != 0)
            return Expectation(nodes, RandomTrees.Holds(nodes, node, row) ? whereTrue : whereFalse, row, coalition);
        double trueCover = Cover(nodes, whereTrue), falseCover = Cover(nodes, whereFalse);
        return ((trueCover * Expectation(nodes, whereTrue, row, coalition)) + (falseCover * Expectation(nodes, whereFalse, row, coalition))) / (trueCover + falseCover);
    }

    // Training rows, or leaves where the rows are not known.
    private static double Cover(TreeNodes nodes, int node) =>
        !nodes.Covers.IsEmpty ? nodes.Covers.Span[node]
        : nodes.Modes.Span[node] == TreeNodeMode.Leaf ? 1
        : Cover(nodes, nodes.TrueNodes.Span[node]) + Cover(nodes, nodes.FalseNodes.Span[node]);

    private static double Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);
}
