using CsCheck;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Random ensembles, rows that hit their thresholds, and the plainest possible walk to judge every engine by.</summary>
internal static class RandomTrees
{
    /// <summary>What a feature may hold at the edges: missing, infinite, denormal, both zeros, largest and smallest.</summary>
    internal static readonly float[] Edges =
    [
        float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f, float.Epsilon, -float.Epsilon,
        1.1754942e-38f, 1.17549435e-38f, float.MaxValue, float.MinValue, 1f, -1f,
    ];

    internal static readonly TreeNodeMode[] AllModes =
        [TreeNodeMode.AtMost, TreeNodeMode.Below, TreeNodeMode.AtLeast, TreeNodeMode.Above, TreeNodeMode.Equal, TreeNodeMode.NotEqual];

    internal static Gen<TreeNodes> Ensembles(int treesMax, int leavesMax, bool infiniteThresholds = true) =>
        from seed in Gen.Int[0, int.MaxValue - 1]
        from featureCount in Gen.Int[1, 8]
        from treeCount in Gen.Int[1, treesMax]
        select Make(new Random(seed), featureCount, treeCount, leavesMax, AllModes, infiniteThresholds);

    /// <summary>Grows each tree by splitting a random leaf until it has a random number of leaves.</summary>
    internal static TreeNodes Make(Random random, int featureCount, int treeCount, int leavesMax, TreeNodeMode[] modes, bool infiniteThresholds = true, int leavesMin = 1)
    {
        var builder = new TreeNodesBuilder(featureCount) { BaseValue = random.Next(3) == 0 ? (float)random.NextDouble() : 0, Average = random.Next(4) == 0 };
        for (int tree = 0; tree < treeCount; tree++)
        {
            builder.BeginTree();
            Grow(builder, random, random.Next(leavesMin, leavesMax + 1), featureCount, modes, infiniteThresholds);
        }

        return builder.Build();
    }

    /// <summary>Rows of which most values lie on a threshold, one float beside it, or at an edge.</summary>
    internal static float[][] Rows(TreeNodes nodes, Random random, int count)
    {
        float[] thresholds = nodes.Thresholds.ToArray();
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, nodes.FeatureCount).Select(_ =>
        {
            float threshold = thresholds[random.Next(thresholds.Length)];
            return random.Next(6) switch
            {
                0 => Edges[random.Next(Edges.Length)],
                1 => threshold,
                2 => MathF.BitIncrement(threshold),
                3 => MathF.BitDecrement(threshold),
                _ => (float)((random.NextDouble() * 4) - 2),
            };
        }).ToArray())];
    }

    /// <summary>The judge: each tree from its root, the ONNX text of each mode word by word.</summary>
    internal static double Walk(TreeNodes nodes, float[] row)
    {
        double sum = 0;
        foreach (int root in nodes.Roots.Span)
        {
            int node = root;
            while (nodes.Modes.Span[node] != TreeNodeMode.Leaf)
                node = Holds(nodes, node, row) ? nodes.TrueNodes.Span[node] : nodes.FalseNodes.Span[node];
            sum += nodes.Weights.Span[node];
        }

        return (nodes.Average ? sum / nodes.TreeCount : sum) + nodes.BaseValue;
    }

    internal static bool Holds(TreeNodes nodes, int node, float[] row)
    {
        float x = row[nodes.Features.Span[node]], threshold = nodes.Thresholds.Span[node];
        if (float.IsNaN(x) && nodes.MissingIsTrue.Span[node])
            return true;
        return nodes.Modes.Span[node] switch
        {
            TreeNodeMode.AtMost => x <= threshold,
            TreeNodeMode.Below => x < threshold,
            TreeNodeMode.AtLeast => x >= threshold,
            TreeNodeMode.Above => x > threshold,
            TreeNodeMode.Equal => x == threshold,
            _ => x != threshold,
        };
    }

    private static void Grow(TreeNodesBuilder builder, Random random, int leafCount, int featureCount, TreeNodeMode[] modes, bool infiniteThresholds)
    {
        // The shape first, as a list of splits of leaves; then the nodes, parents before children.
        List<(int True, int False)?> shape = [null];
        List<int> leaves = [0];
        while (leaves.Count < leafCount)
        {
            int picked = random.Next(leaves.Count);
            shape[leaves[picked]] = (shape.Count, shape.Count + 1);
            leaves.Add(shape.Count + 1);
            leaves[picked] = shape.Count;
            shape.Add(null);
            shape.Add(null);
        }

        float[] covers = [.. shape.Select(_ => (float)random.Next(1, 100))];
        for (int node = shape.Count - 1; node >= 0; node--)
        {
            if (shape[node] is { } split)
                covers[node] = covers[split.True] + covers[split.False];
        }

        var numbers = new int[shape.Count];
        for (int node = 0; node < shape.Count; node++)
        {
            numbers[node] = shape[node] is null
                ? builder.AddLeaf((float)((random.NextDouble() * 2) - 1), covers[node])
                : builder.AddBranch(modes[random.Next(modes.Length)], random.Next(featureCount), Threshold(random, infiniteThresholds), random.Next(2) == 0, covers[node]);
        }

        for (int node = 0; node < shape.Count; node++)
        {
            if (shape[node] is { } split)
                builder.Connect(numbers[node], numbers[split.True], numbers[split.False]);
        }
    }

    private static float Threshold(Random random, bool infinite)
    {
        if (random.Next(4) != 0)
            return (float)((random.NextDouble() * 2) - 1);
        float edge = Edges[random.Next(1, Edges.Length)];
        return float.IsFinite(edge) || infinite ? edge : 0.5f;
    }
}
