namespace Scoring.Models.Ensembles;

/// <summary>How much each feature moved the margin of one row away from the ensemble's mean: exact Shapley values, additive.</summary>
/// <remarks>
/// Path-dependent TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020): a feature that is left out follows both branches in
/// proportion to the training rows that did (the covers). Without covers every leaf counts the same. Computed leaf by leaf: along the
/// path to a leaf each feature either lets the row through (one) or would let through a share of the training rows (zero), and the
/// weight of all coalitions is a polynomial in those. Scratch space belongs to the instance: one per thread.
/// </remarks>
public sealed class TreeContributions
{
    private readonly TreeEnsemble ensemble;
    private readonly double[] covers;
    private readonly double scale;

    // The path to the current leaf: distinct features, share of training rows let through, whether this row is let through.
    private readonly int[] features = new int[TreeStructure.DepthMax];
    private readonly double[] zeros = new double[TreeStructure.DepthMax];
    private readonly bool[] ones = new bool[TreeStructure.DepthMax];
    private readonly double[] product = new double[TreeStructure.DepthMax + 1];
    private readonly double[] quotient = new double[TreeStructure.DepthMax + 1];

    /// <summary>Prepares explanations of an ensemble.</summary>
    public TreeContributions(TreeEnsemble ensemble)
    {
        ArgumentNullException.ThrowIfNull(ensemble);
        this.ensemble = ensemble;
        scale = ensemble.Nodes.Average ? 1.0 / ensemble.TreeCount : 1.0;
        (covers, HasCovers) = MeasureCovers(ensemble);
        Bias = (MeanOfLeaves() * scale) + ensemble.Nodes.BaseValue;
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
            Descend(tree.Root, length: 0, row, contributions);
        for (int feature = 0; feature < contributions.Length; feature++)
            contributions[feature] *= scale;
    }

    // Recursion as deep as the tree, which is at most DepthMax.
    private void Descend(int index, int length, ReadOnlySpan<float> row, Span<double> contributions)
    {
        WalkNode node = ensemble.Program.Nodes[index];
        if (node.Left == index)
        {
            AddLeaf(ensemble.Program.Values[index], length, contributions);
            return;
        }

        int feature = node.FeatureAndTurn >> 4;
        int taken = TreeKernels.Step(in node, row[feature]);
        int at = Array.IndexOf(features, feature, 0, length);
        bool known = at >= 0;
        if (!known)
            at = length;
        (double zero, bool one) = known ? (zeros[at], ones[at]) : (1.0, true);
        features[at] = feature;
        foreach (int child in (ReadOnlySpan<int>)[node.Left, node.Right])
        {
            (zeros[at], ones[at]) = (zero * Share(child, index), one && child == taken);
            if (zeros[at] > 0 || ones[at])
                Descend(child, known ? length : length + 1, row, contributions);
        }

        (zeros[at], ones[at]) = (zero, one);
    }

    private double Share(int child, int parent) => covers[parent] > 0 ? covers[child] / covers[parent] : 0;

    private void AddLeaf(double value, int length, Span<double> contributions)
    {
        if (value == 0 || length == 0)
            return;
        Multiply(length);
        for (int i = 0; i < length; i++)
        {
            Divide(length, i);

            // k!(d-1-k)!/d! = 1 / (d C(d-1, k)): the share of the orders in which k of the others come first.
            double weight = 1.0 / length, sum = 0;
            for (int k = 0; k < length; k++)
            {
                sum += weight * quotient[k];
                weight *= (k + 1.0) / Math.Max(1, length - 1 - k);
            }

            contributions[features[i]] += value * ((ones[i] ? 1 : 0) - zeros[i]) * sum;
        }
    }

    // Coefficients of the product over the path of (one t + zero): coefficient k is the weight of all coalitions of k features.
    private void Multiply(int length)
    {
        product.AsSpan(0, length + 1).Clear();
        product[0] = 1;
        for (int i = 0; i < length; i++)
        {
            for (int k = i + 1; k > 0; k--)
                product[k] = (product[k] * zeros[i]) + (ones[i] ? product[k - 1] : 0);
            product[0] *= zeros[i];
        }
    }

    // The same product without factor i. From the top, where the division multiplies by a share of at most one: stable.
    private void Divide(int length, int i)
    {
        if (ones[i])
        {
            quotient[length] = 0;
            for (int k = length; k > 0; k--)
                quotient[k - 1] = product[k] - (zeros[i] * (k < length ? quotient[k] : 0));
        }
        else
        {
            for (int k = 0; k < length; k++)
                quotient[k] = product[k] / zeros[i];
        }
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
