namespace Scoring.Models.Ensembles;

/// <summary>Decides whether a node table is a set of sound trees: what the engines rely on to end, and to stay inside their arrays.</summary>
public static class TreeStructure
{
    /// <summary>Deepest tree taken, in branches from root to leaf. Trained trees stay below 100; a chain kills recursive readers.</summary>
    public const int DepthMax = 512;

    /// <summary>Most trees taken.</summary>
    public const int TreesMax = 10_000;

    /// <summary>A fault in a table.</summary>
    /// <param name="Tree">Tree number, from 0.</param>
    /// <param name="Node">Node number inside its tree, from 0.</param>
    /// <param name="What">What is wrong.</param>
    public readonly record struct Fault(int Tree, int Node, string What);

    /// <summary>The first fault, or null. Linear time, no recursion.</summary>
    public static Fault? FindFault(TreeNodes nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.TreeCount == 0)
            return new Fault(0, 0, "the ensemble has no trees");
        if (nodes.TreeCount > TreesMax)
            return new Fault(TreesMax, 0, $"{nodes.TreeCount} trees, more than {TreesMax}");
        if (nodes.FeatureCount < 1)
            return new Fault(0, 0, "no features");
        if (!float.IsFinite(nodes.BaseValue))
            return new Fault(0, 0, "the base value is not finite");

        // Depth of each node below its root; -1 is "not reached yet".
        var depths = new int[nodes.NodeCount];
        Array.Fill(depths, -1);
        var open = new Stack<int>();
        for (int tree = 0; tree < nodes.TreeCount; tree++)
        {
            if (FindFault(nodes, tree, depths, open) is { } fault)
                return fault;
        }

        return null;
    }

    private static Fault? FindFault(TreeNodes nodes, int tree, int[] depths, Stack<int> open)
    {
        int root = nodes.Roots.Span[tree];
        int end = nodes.EndOf(tree);
        if (root >= end)
            return new Fault(tree, 0, "the tree has no nodes");
        depths[root] = 0;
        open.Push(root);
        while (open.TryPop(out int node))
        {
            if (FindFault(nodes, node) is { } what)
                return new Fault(tree, node - root, what);
            if (nodes.Modes.Span[node] == TreeNodeMode.Leaf)
                continue;
            if (depths[node] == DepthMax)
                return new Fault(tree, node - root, $"the tree is deeper than {DepthMax}");
            foreach (int child in (ReadOnlySpan<int>)[nodes.FalseNodes.Span[node], nodes.TrueNodes.Span[node]])
            {
                if (child < root || child >= end)
                    return new Fault(tree, node - root, "a child lies outside the tree");
                if (depths[child] >= 0)
                    return new Fault(tree, child - root, DescribeSecondArrival(nodes, node, child));
                depths[child] = depths[node] + 1;
                open.Push(child);
            }
        }

        int lost = Array.IndexOf(depths, -1, root, end - root);
        return lost < 0 ? null : new Fault(tree, lost - root, "the root does not lead to this node");
    }

    private static string? FindFault(TreeNodes nodes, int node)
    {
        if (nodes.Modes.Span[node] == TreeNodeMode.Leaf)
        {
            return float.IsFinite(nodes.Weights.Span[node]) ? null : $"the leaf's weight is {nodes.Weights.Span[node]}, not a finite number";
        }

        int feature = nodes.Features.Span[node];
        if (feature < 0 || feature >= nodes.FeatureCount)
            return $"feature {feature} is tested, the input has {nodes.FeatureCount}";

        // Infinite thresholds are real: LightGBM writes them to part missing values from all others.
        bool compares = nodes.Modes.Span[node] != TreeNodeMode.Member;
        return compares && float.IsNaN(nodes.Thresholds.Span[node]) ? "the threshold is NaN" : null;
    }

    private static string DescribeSecondArrival(TreeNodes nodes, int from, int child)
    {
        // Is the child an ancestor of the node that leads to it? The path from the child down is at most the tree.
        var below = new Stack<int>([child]);
        var seen = new HashSet<int>();
        while (below.TryPop(out int node))
        {
            if (node == from)
                return "a cycle: the branches below this node lead back to it";
            if (nodes.Modes.Span[node] == TreeNodeMode.Leaf || !seen.Add(node))
                continue;
            if (nodes.TrueNodes.Span[node] >= 0 && nodes.TrueNodes.Span[node] < nodes.NodeCount)
                below.Push(nodes.TrueNodes.Span[node]);
            if (nodes.FalseNodes.Span[node] >= 0 && nodes.FalseNodes.Span[node] < nodes.NodeCount)
                below.Push(nodes.FalseNodes.Span[node]);
        }

        return "two branches lead to this node: it has two parents";
    }
}
