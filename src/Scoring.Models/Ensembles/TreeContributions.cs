using System.Runtime.Intrinsics;

namespace Scoring.Models.Ensembles;

/// <summary>How much each feature moved the margin of one row away from the ensemble's mean: exact Shapley values, additive.</summary>
/// <remarks>
/// Path-dependent TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020): a feature that is left out follows both branches in
/// proportion to the training rows that did (the covers). Without covers every leaf counts the same. Along the path to a leaf each
/// feature either lets the row through (one) or would let through a share of the training rows (zero); the mean over all orders of the
/// features is the integral from 0 to 1 of the product of (one t + zero (1 - t)) over the others, a polynomial. As in Linear TreeSHAP
/// (Yu et al., NeurIPS 2022) its values at some points are kept instead of its coefficients, and whole subtrees are added up before a feature's
/// factor is divided out: one pass over the tree, a few vector operations per branch. The points are Gauss-Legendre's, with which the
/// integral is exact, and every term is positive: nothing cancels. Scratch space belongs to the instance: one per thread.
/// </remarks>
public sealed class TreeContributions
{
    private readonly TreeEnsemble ensemble;
    private readonly double[] covers;
    private readonly double scale;

    // The path to the current node: distinct features, share of training rows let through, whether this row is let through.
    private readonly int[] features = new int[TreeStructure.DepthMax];
    private readonly double[] zeros = new double[TreeStructure.DepthMax];
    private readonly bool[] ones = new bool[TreeStructure.DepthMax];

    // Eight points to a vector: t, 1 - t, and the weight of the point.
    private readonly Vector512<double>[] present;
    private readonly Vector512<double>[] absent;
    private readonly Vector512<double>[] weights;

    // Per level of the tree: product of the path's factors at each point; sum over the leaves below of leaf value times product.
    private readonly Vector512<double>[] products;
    private readonly Vector512<double>[] sums;

    /// <summary>Prepares explanations of an ensemble.</summary>
    public TreeContributions(TreeEnsemble ensemble)
    {
        ArgumentNullException.ThrowIfNull(ensemble);
        this.ensemble = ensemble;
        scale = ensemble.Nodes.Average ? 1.0 / ensemble.TreeCount : 1.0;
        (covers, HasCovers) = MeasureCovers(ensemble);
        Bias = (MeanOfLeaves() * scale) + ensemble.Nodes.BaseValue;

        // n points integrate a polynomial of degree 2 n - 1 exactly; that of a path of d features has degree d - 1.
        (int depth, int distinct) = ensemble.Program.Trees.Aggregate((Depth: 0, Distinct: 0), (most, tree) => Measure(tree.Root, depth: 0, distinct: 0, most));
        int vectors = Math.Max(1, (((distinct + 1) / 2) + 7) / 8);
        (present, absent, weights) = GaussLegendre(vectors);
        products = new Vector512<double>[(depth + 1) * vectors];
        sums = new Vector512<double>[products.Length];
        products.AsSpan(0, vectors).Fill(Vector512<double>.One);
    }

    /// <summary>Whether the model says how many training rows came through each node; if not, leaves count the same.</summary>
    public bool HasCovers { get; }

    /// <summary>Mean margin: what a row scores of which nothing is known.</summary>
    public double Bias { get; }

    /// <summary>Explains one row.</summary>
    /// <param name="row"><see cref="TreeEnsemble.FeatureCount"/> values. NaN is missing.</param>
    /// <param name="contributions">One per feature, in the unit of the margin; with <see cref="Bias"/> they add up to it.</param>
    /// <exception cref="ArgumentException">A span is not of its stated length.</exception>
    public void Explain(ReadOnlySpan<float> row, Span<double> contributions)
    {
        if (row.Length != ensemble.FeatureCount)
            throw new ArgumentException($"{ensemble.FeatureCount} features are due, got {row.Length}", nameof(row));
        if (contributions.Length != row.Length)
            throw new ArgumentException($"{row.Length} contributions are due, got {contributions.Length}", nameof(contributions));
        contributions.Clear();
        foreach (ref readonly CompiledTree tree in ensemble.Program.Trees.AsSpan())
        {
            if (ensemble.Program.Nodes[tree.Root].Left != tree.Root)
                Descend(tree.Root, length: 0, level: 0, row, contributions);
        }

        for (int feature = 0; feature < contributions.Length; feature++)
            contributions[feature] *= scale;
    }

    // From a branch down; recursion as deep as the tree, which is at most DepthMax. Leaves its sums behind for the caller.
    private void Descend(int index, int length, int level, ReadOnlySpan<float> row, Span<double> contributions)
    {
        WalkNode node = ensemble.Program.Nodes[index];
        int from = level * weights.Length, to = from + weights.Length;
        sums.AsSpan(from, weights.Length).Clear();
        int feature = node.FeatureAndTurn >> 4;
        int taken = TreeKernels.Step(in node, row[feature]);
        int at = features.AsSpan(0, length).IndexOf(feature);
        bool known = at >= 0;
        if (!known)
            at = length;
        (double zero, bool one) = known ? (zeros[at], ones[at]) : (1.0, true);
        features[at] = feature;
        for (int side = 0; side < 2; side++)
        {
            int child = side == 0 ? node.Left : node.Right;
            (double childZero, bool childOne) = (zero * Share(child, index), one && child == taken);
            if (!(childZero > 0 || childOne))
                continue;
            Multiply(level, childZero, childOne, known, zero, one);
            if (ensemble.Program.Nodes[child].Left == child)
            {
                double value = ensemble.Program.Values[child];
                for (int i = 0; i < weights.Length; i++)
                    sums[to + i] = products[to + i] * value;
            }
            else
            {
                (zeros[at], ones[at]) = (childZero, childOne);
                Descend(child, known ? length : length + 1, level + 1, row, contributions);
            }

            for (int i = 0; i < weights.Length; i++)
                sums[from + i] += sums[to + i];

            // Below here a feature that was met before has this factor and not the earlier one, whose sums hold these leaves too.
            contributions[feature] += Without(to, childZero, childOne) - (known ? Without(to, zero, one) : 0);
        }

        (zeros[at], ones[at]) = (zero, one);
    }

    private double Share(int child, int parent) => covers[parent] > 0 ? covers[child] / covers[parent] : 0;

    private Vector512<double> Factor(int point, double zero, bool one)
    {
        Vector512<double> factor = absent[point] * zero;
        return one ? factor + present[point] : factor;
    }

    // The next level's product: this one's times the branch's factor, which takes the place of an earlier factor of the same feature.
    private void Multiply(int level, double zero, bool one, bool known, double earlierZero, bool earlierOne)
    {
        int from = level * weights.Length, to = from + weights.Length;
        for (int i = 0; i < weights.Length; i++)
        {
            Vector512<double> product = products[from + i] * Factor(i, zero, one);
            products[to + i] = known ? product / Factor(i, earlierZero, earlierOne) : product;
        }
    }

    // What the feature adds to these leaves: the integral without its own factor, times the difference that it makes.
    private double Without(int leaves, double zero, bool one)
    {
        Vector512<double> integral = default;
        for (int i = 0; i < weights.Length; i++)
            integral += weights[i] * sums[leaves + i] / Factor(i, zero, one);
        return ((one ? 1 : 0) - zero) * Vector512.Sum(integral);
    }

    private (int Depth, int Distinct) Measure(int index, int depth, int distinct, (int Depth, int Distinct) most)
    {
        WalkNode node = ensemble.Program.Nodes[index];
        if (node.Left == index)
            return (Math.Max(most.Depth, depth), Math.Max(most.Distinct, distinct));
        int feature = node.FeatureAndTurn >> 4;
        if (!features.AsSpan(0, distinct).Contains(feature))
            features[distinct++] = feature;
        most = Measure(node.Left, depth + 1, distinct, most);
        return Measure(node.Right, depth + 1, distinct, most);
    }

    // Points and weights on 0 to 1: the roots of the Legendre polynomial of that degree, by Newton's method.
    private static (Vector512<double>[] Present, Vector512<double>[] Absent, Vector512<double>[] Weights) GaussLegendre(int vectors)
    {
        int count = vectors * Vector512<double>.Count;
        double[] points = new double[count], rests = new double[count], shares = new double[count];
        for (int i = 0; i < count; i++)
        {
            double x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5)), slope = 0;
            for (int step = 0; step < 8; step++)
            {
                double value = 1, before = 0;
                for (int degree = 1; degree <= count; degree++)
                    (value, before) = ((((2 * degree) - 1) * x * value - ((degree - 1) * before)) / degree, value);
                slope = count * ((x * value) - before) / ((x * x) - 1);
                x -= value / slope;
            }

            (points[i], rests[i], shares[i]) = ((1 + x) / 2, (1 - x) / 2, 1 / ((1 - (x * x)) * slope * slope));
        }

        return (Vectors(points), Vectors(rests), Vectors(shares));

        static Vector512<double>[] Vectors(double[] values) =>
            [.. Enumerable.Range(0, values.Length / Vector512<double>.Count).Select(i => Vector512.Create(values, i * Vector512<double>.Count))];
    }

    private static (double[] Covers, bool Known) MeasureCovers(TreeEnsemble ensemble)
    {
        TreeNodes nodes = ensemble.Nodes;
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

    private double MeanOfLeaves()
    {
        double mean = 0;
        ReadOnlySpan<TreeNodeMode> modes = ensemble.Nodes.Modes.Span;
        for (int tree = 0; tree < ensemble.TreeCount; tree++)
        {
            int root = ensemble.Nodes.Roots.Span[tree];
            for (int node = root; node < ensemble.Nodes.EndOf(tree); node++)
            {
                if (modes[node] == TreeNodeMode.Leaf && covers[root] > 0)
                    mean += ensemble.Program.Values[node] * (covers[node] / covers[root]);
                if (node == root && modes[node] == TreeNodeMode.Leaf && covers[root] == 0)
                    mean += ensemble.Program.Values[node];
            }
        }

        return mean;
    }
}
