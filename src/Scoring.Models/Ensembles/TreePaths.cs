using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles;

/// <summary>One side of a branch: the way to its left or right child.</summary>
/// <param name="Zero">Share of the training rows that all tests of this feature, from the root to here, let through; never quite 0, so that it may be divided by.</param>
/// <param name="Value">Value of the leaf it leads to; 1 where it leads to a branch.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TreeSide(double Zero, double Value);

/// <summary>One tree among the branches.</summary>
/// <param name="First">Its first branch.</param>
/// <param name="Count">Its branches; none where it is one leaf.</param>
/// <param name="FeaturesMax">Most different features on one way from its root to a leaf.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TreePath(int First, int Count, int FeaturesMax);

/// <summary>One branch of a tree, with the way that leads to it.</summary>
/// <param name="Node">Its walk node.</param>
/// <param name="Feature">What it tests.</param>
/// <param name="Above">The side that leads to it, counted from the tree's first, or -1 for a root.</param>
/// <param name="Earlier">The nearest side above that tested the same feature, counted likewise, or -1.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TreeBranch(int Node, int Feature, int Above, int Earlier);

/// <summary>An ensemble laid out for explanations: branches before those below them, and what of them does not depend on the row. Immutable.</summary>
internal sealed class TreePaths
{
    // Small enough to vanish in every sum, large enough that a product of three is a normal number.
    private const double LeastShare = 1e-60;

    private TreePaths(TreeBranch[] branches, TreeSide[] sides, TreePath[] trees, double bias, bool hasCovers) =>
        (Branches, Sides, Trees, Bias, HasCovers) = (branches, sides, trees, bias, hasCovers);

    /// <summary>All branches, tree by tree.</summary>
    public TreeBranch[] Branches { get; }

    /// <summary>Two per branch, left and right: those of branch i are 2 i and 2 i + 1.</summary>
    public TreeSide[] Sides { get; }

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
        var sides = new List<TreeSide>();
        var trees = new List<TreePath>();
        double mean = 0;
        foreach (var tree in ensemble.Program.Trees)
        {
            int first = branches.Count, featuresMax = 0;
            var open = new Stack<(int Node, int Above, double Reached, int Features)>([(tree.Root, -1, 1.0, 0)]);
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
                int features = at.Features + (earlier < 0 ? 1 : 0);
                featuresMax = Math.Max(featuresMax, features);
                branches.Add(new(at.Node, feature, at.Above < 0 ? -1 : at.Above - (2 * first), earlier < 0 ? -1 : earlier - (2 * first)));
                foreach (int child in (ReadOnlySpan<int>)[node.Left, node.Right])
                {
                    bool isLeaf = ensemble.Program.Nodes[child].Left == child;
                    double share = covers[at.Node] > 0 ? covers[child] / covers[at.Node] : 0;
                    open.Push((child, sides.Count, at.Reached * share, features));
                    double zero = (earlier < 0 ? 1 : sides[earlier].Zero) * share;
                    sides.Add(new(Math.Max(zero, LeastShare), isLeaf ? ensemble.Program.Values[child] : 1));
                }
            }

            trees.Add(new(first, branches.Count - first, featuresMax));
        }

        double scale = ensemble.Nodes.Average ? 1.0 / ensemble.TreeCount : 1.0;
        return new([.. branches], [.. sides], [.. trees], (mean * scale) + ensemble.Nodes.BaseValue, known);

        int Earlier(int feature, int side, int first)
        {
            while (side >= 0 && branches[side / 2].Feature != feature)
            {
                int above = branches[side / 2].Above;
                side = above < 0 ? -1 : above + (2 * first);
            }

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
