using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles;

/// <summary>One tree among the branches.</summary>
/// <param name="First">Its first branch.</param>
/// <param name="Count">Its branches; none where it is one leaf.</param>
/// <param name="FeaturesMax">Most different features on one way from its root to a leaf.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TreePath(int First, int Count, int FeaturesMax);

/// <summary>One branch of a tree, with the way that leads to it: 64 bytes.</summary>
/// <remarks>
/// The sides of a tree are counted in one: 0 is the way to its root, 2 i + 1 and 2 i + 2 are the ways to the left and the right child of branch i. A side's zero is
/// the share of the training rows that all tests of this feature, from the root to there, let through; never quite 0, so that it may be divided by. Its value is that of
/// the leaf it leads to; 1 where it leads to a branch.
/// </remarks>
/// <param name="Node">Its walk node.</param>
/// <param name="Feature">What it tests.</param>
/// <param name="Above">The side that leads to it.</param>
/// <param name="Earlier">The nearest side above that tested the same feature, or 0.</param>
/// <param name="LeftZero">The left side's zero.</param>
/// <param name="RightZero">The right side's zero.</param>
/// <param name="LeftValue">The left side's value.</param>
/// <param name="RightValue">The right side's value.</param>
/// <param name="EarlierZero">The earlier side's zero; 1 where there is none.</param>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal readonly record struct TreeBranch(int Node, int Feature, int Above, int Earlier, double LeftZero, double RightZero, double LeftValue, double RightValue, double EarlierZero);

/// <summary>An ensemble laid out for explanations: branches before those below them, and what of them does not depend on the row. Immutable.</summary>
internal sealed class TreePaths
{
    // Small enough to vanish in every sum, large enough that a product of three is a normal number.
    private const double LeastShare = 1e-60;

    private TreePaths(TreeBranch[] branches, TreePath[] trees, double bias, bool hasCovers) => (Branches, Trees, Bias, HasCovers) = (branches, trees, bias, hasCovers);

    /// <summary>All branches, tree by tree.</summary>
    public TreeBranch[] Branches { get; }

    /// <summary>One entry per tree.</summary>
    public TreePath[] Trees { get; }

    /// <summary>Mean of the ensemble's output over its training rows.</summary>
    public double Bias { get; }

    /// <summary>Whether the model says how many training rows came through each node.</summary>
    public bool HasCovers { get; }

    /// <summary>Lays an ensemble out.</summary>
    public static TreePaths Of(TreeEnsemble ensemble)
    {
        var (covers, known) = MeasureCovers(ensemble.Nodes);
        var branches = new List<TreeBranch>();
        var trees = new List<TreePath>();
        double mean = 0;
        foreach (var tree in ensemble.Program.Trees)
        {
            int first = branches.Count, featuresMax = 0;
            var open = new Stack<(int Node, int Above, double Reached, int Features)>([(tree.Root, 0, 1.0, 0)]);
            while (open.TryPop(out var at))
            {
                var node = ensemble.Program.Nodes[at.Node];
                if (node.Left == at.Node)
                {
                    mean += ensemble.Program.Values[at.Node] * at.Reached;
                    continue;
                }

                int feature = node.FeatureAndTurn >> 4;
                int earlier = Earlier(feature, at.Above, first);
                int features = at.Features + (earlier == 0 ? 1 : 0);
                featuresMax = Math.Max(featuresMax, features);
                double earlierZero = earlier == 0 ? 1 : Zero(earlier, first);
                int side = (2 * (branches.Count - first)) + 1;
                double leftShare = Share(at.Node, node.Left), rightShare = Share(at.Node, node.Right);
                branches.Add(new(
                    at.Node,
                    feature,
                    at.Above,
                    earlier,
                    Math.Max(earlierZero * leftShare, LeastShare),
                    Math.Max(earlierZero * rightShare, LeastShare),
                    Value(node.Left),
                    Value(node.Right),
                    earlierZero));
                open.Push((node.Left, side, at.Reached * leftShare, features));
                open.Push((node.Right, side + 1, at.Reached * rightShare, features));
            }

            trees.Add(new(first, branches.Count - first, featuresMax));
        }

        double scale = ensemble.Nodes.Average ? 1.0 / ensemble.TreeCount : 1.0;
        return new([.. branches], [.. trees], (mean * scale) + ensemble.Nodes.BaseValue, known);

        double Share(int node, int child) => covers[node] > 0 ? covers[child] / covers[node] : 0;

        double Value(int child) => ensemble.Program.Nodes[child].Left == child ? ensemble.Program.Values[child] : 1;

        double Zero(int side, int first)
        {
            var branch = branches[first + ((side - 1) / 2)];
            return side % 2 == 1 ? branch.LeftZero : branch.RightZero;
        }

        int Earlier(int feature, int side, int first)
        {
            while (side != 0 && branches[first + ((side - 1) / 2)].Feature != feature)
                side = branches[first + ((side - 1) / 2)].Above;
            return side;
        }
    }

    private static (double[] Covers, bool Known) MeasureCovers(TreeNodes nodes)
    {
        ReadOnlySpan<float> given = nodes.Covers.Span;
        bool known = given.Length == nodes.NodeCount && AreSums(nodes);
        var measured = new double[nodes.NodeCount];
        for (int tree = 0; tree < nodes.TreeCount; tree++)
        {
            // Parents before children, then back: a branch's cover is what its leaves' covers add up to.
            List<int> order = [nodes.Roots.Span[tree]];
            for (int i = 0; i < order.Count; i++)
            {
                if (nodes.Modes.Span[order[i]] == TreeNodeMode.Leaf)
                    continue;
                order.Add(nodes.TrueNodes.Span[order[i]]);
                order.Add(nodes.FalseNodes.Span[order[i]]);
            }

            for (int i = order.Count - 1; i >= 0; i--)
            {
                int node = order[i];
                measured[node] = nodes.Modes.Span[node] == TreeNodeMode.Leaf
                    ? known ? given[node] : 1
                    : measured[nodes.TrueNodes.Span[node]] + measured[nodes.FalseNodes.Span[node]];
            }
        }

        return (measured, known);
    }

    // Some exporters fill nodes_hitrates with ones or leave the leaves empty: such covers are no covers.
    private static bool AreSums(TreeNodes nodes)
    {
        ReadOnlySpan<float> given = nodes.Covers.Span;
        for (int node = 0; node < given.Length; node++)
        {
            if (!float.IsFinite(given[node]) || given[node] < 0)
                return false;
            if (nodes.Modes.Span[node] == TreeNodeMode.Leaf)
                continue;
            double below = (double)given[nodes.TrueNodes.Span[node]] + given[nodes.FalseNodes.Span[node]];
            if (given[node] <= 0 || Math.Abs(below - given[node]) > 1e-3 * given[node])
                return false;
        }

        return true;
    }
}
