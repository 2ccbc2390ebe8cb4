using Microsoft.ML.Trainers.FastTree;
using Scoring.Models.Ensembles;

namespace Scoring.Trainer.Training;

/// <summary>From ML.NET's trees to our table.</summary>
internal static class FastTreeConversion
{
    /// <summary>The mean of some ensembles as one.</summary>
    /// <param name="members">FastTree models of one feature count.</param>
    /// <param name="featureCount">Features of a row.</param>
    /// <param name="rows">Rows learnt from, to count how many came through each node (for explanations).</param>
    public static TreeNodes ToNodes(IReadOnlyList<TreeEnsembleModelParametersBasedOnRegressionTree> members, int featureCount, float[][] rows)
    {
        var builder = new TreeNodesBuilder(featureCount);
        double bias = 0;
        foreach (var member in members)
        {
            var ensemble = member.TrainedTreeEnsemble;
            bias += ensemble.Bias / members.Count;
            for (int i = 0; i < ensemble.Trees.Count; i++)
            {
                var tree = ensemble.Trees[i];
                double weight = ensemble.TreeWeights[i] / members.Count;
                var (branchCovers, leafCovers) = Covers(tree, rows);
                builder.BeginTree();
                AddNode(0);

                // ML.NET numbers branches from 0 and leaves as their complement; a tree of one leaf has no branch.
                int AddNode(int node)
                {
                    if (node < 0 || tree.NumberOfNodes == 0)
                    {
                        int leaf = node < 0 ? ~node : 0;
                        return builder.AddLeaf((float)(tree.LeafValues[leaf] * weight), leafCovers[leaf]);
                    }

                    int branch = builder.AddBranch(
                        TreeNodeMode.AtMost,
                        tree.NumericalSplitFeatureIndexes[node],
                        tree.NumericalSplitThresholds[node],
                        missing: false,
                        branchCovers[node]);
                    int left = AddNode(tree.LeftChild[node]);
                    builder.Connect(branch, left, AddNode(tree.RightChild[node]));
                    return branch;
                }
            }
        }

        builder.BaseValue = (float)bias;
        return builder.Build();
    }

    private static (float[] Branches, float[] Leaves) Covers(RegressionTreeBase tree, float[][] rows)
    {
        var branches = new float[Math.Max(1, tree.NumberOfNodes)];
        var leaves = new float[tree.NumberOfLeaves];
        var left = tree.LeftChild.ToArray();
        var right = tree.RightChild.ToArray();
        var features = tree.NumericalSplitFeatureIndexes.ToArray();
        var thresholds = tree.NumericalSplitThresholds.ToArray();
        foreach (var row in rows)
        {
            int node = tree.NumberOfNodes == 0 ? -1 : 0;
            while (node >= 0)
            {
                branches[node]++;
                node = row[features[node]] <= thresholds[node] ? left[node] : right[node];
            }

            leaves[~node]++;
        }

        return (branches, leaves);
    }
}
