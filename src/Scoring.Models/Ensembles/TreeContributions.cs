using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scoring.Models.Ensembles;

/// <summary>How much each feature moved the margin of one row away from the ensemble's mean: exact Shapley values, additive.</summary>
/// <remarks>
/// Path-dependent TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020): a feature that is left out follows both branches in
/// proportion to the training rows that did (the covers). Without covers every leaf counts the same. Along the path to a leaf each
/// feature either lets the row through (one) or would let through a share of the training rows (zero); the mean over all orders of the
/// features is the integral from 0 to 1 of the product of (one t + zero (1 - t)) over the others, a polynomial. As in Linear TreeSHAP
/// (Yu et al., NeurIPS 2022) its values at some points are kept instead of its coefficients, and whole subtrees are added up before a feature's
/// factor is divided out. A tree is passed twice, each time straight through an array: downwards for the products of the factors, upwards for
/// the sums over the leaves. The points are Gauss-Legendre's, with which the integral is exact, and every term is positive: nothing
/// cancels. Scratch space belongs to the instance: one per thread.
/// </remarks>
public sealed class TreeContributions
{
    private readonly TreeEnsemble ensemble;
    private readonly TreePaths paths;
    private readonly double scale;

    // By the number of vectors less one: trees with short ways take few points.
    private readonly UnitQuadrature[] quadratures;

    // Per side of the tree at hand: 1 where all tests of its feature up to it let this row through, else 0; the product of the path's factors at
    // each point, which becomes the sum over the leaves below of leaf value times product.
    private readonly double[] ones;
    private readonly Vector512<double>[] terms;

    // Per feature: what its sides add, point by point.
    private readonly Vector512<double>[] moved;

    /// <summary>Prepares explanations of an ensemble.</summary>
    public TreeContributions(TreeEnsemble ensemble)
        : this(ensemble, TreePaths.Of(ensemble))
    {
    }

    private TreeContributions(TreeEnsemble ensemble, TreePaths paths)
    {
        this.ensemble = ensemble;
        this.paths = paths;
        scale = ensemble.Nodes.Average ? 1.0 / ensemble.TreeCount : 1.0;

        // The polynomial of a way with d features has degree d - 1.
        int vectorsMax = UnitQuadrature.VectorsFor(paths.Trees.Max(tree => tree.FeaturesMax) - 1);
        int sidesMax = 2 * paths.Trees.Max(tree => tree.Count);
        quadratures = [.. Enumerable.Range(1, vectorsMax).Select(UnitQuadrature.WithVectors)];
        ones = new double[sidesMax];
        terms = new Vector512<double>[sidesMax * vectorsMax];
        moved = new Vector512<double>[ensemble.FeatureCount];
    }

    /// <summary>Whether the model says how many training rows came through each node; if not, leaves count the same.</summary>
    public bool HasCovers => paths.HasCovers;

    /// <summary>Mean margin: what a row scores of which nothing is known.</summary>
    public double Bias => paths.Bias;

    /// <summary>The same with scratch space of its own, for another thread.</summary>
    public TreeContributions ForAnotherThread() => new(ensemble, paths);

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
        moved.AsSpan().Clear();
        foreach (ref readonly TreePath tree in paths.Trees.AsSpan())
        {
            UnitQuadrature points = quadratures[UnitQuadrature.VectorsFor(tree.FeaturesMax - 1) - 1];
            for (int branch = 0; branch < tree.Count; branch++)
                Descend(tree.First, branch, row, points);
            for (int branch = tree.Count - 1; branch >= 0; branch--)
                Ascend(tree.First, branch, points);
        }

        for (int feature = 0; feature < contributions.Length; feature++)
            contributions[feature] = scale * Vector512.Sum(moved[feature]);
    }

    // The products of a branch's two sides: that of the way to it times the side's factor, which takes the place of an earlier factor of the
    // same feature. No branch on the row: which way it goes is as good as random.
    private void Descend(int first, int index, ReadOnlySpan<float> row, UnitQuadrature points)
    {
        ref readonly TreeBranch branch = ref paths.Branches[first + index];
        ref readonly WalkNode node = ref ensemble.Program.Nodes[branch.Node];
        double earlier = branch.Earlier < 0 ? 1 : ones[branch.Earlier];
        bool goesLeft = TreeKernels.Step(in node, row[branch.Feature]) == node.Left;
        double left = Unsafe.BitCast<bool, byte>(goesLeft) * earlier, right = earlier - left;
        (ones[2 * index], ones[(2 * index) + 1]) = (left, right);
        ReadOnlySpan<TreeSide> sides = paths.Sides.AsSpan(2 * first);
        double leftZero = sides[2 * index].Zero, rightZero = sides[(2 * index) + 1].Zero;
        int vectors = points.Weights.Length;
        for (int i = 0; i < vectors; i++)
        {
            Vector512<double> above = branch.Above < 0 ? Vector512<double>.One : terms[(branch.Above * vectors) + i];
            if (branch.Earlier >= 0)
                above /= Factor(points, i, sides[branch.Earlier].Zero, earlier);
            terms[(2 * index * vectors) + i] = above * Factor(points, i, leftZero, left);
            terms[(((2 * index) + 1) * vectors) + i] = above * Factor(points, i, rightZero, right);
        }
    }

    // The sums of a branch's two sides, and what they say of its feature: the integral without its own factor, times the difference that it
    // makes. Where the feature was met before, these leaves stand in that side's sum too, with a factor they do not have: taken out again.
    private void Ascend(int first, int index, UnitQuadrature points)
    {
        ref readonly TreeBranch branch = ref paths.Branches[first + index];
        ReadOnlySpan<TreeSide> sides = paths.Sides.AsSpan(2 * first);
        ref readonly TreeSide left = ref sides[2 * index];
        ref readonly TreeSide right = ref sides[(2 * index) + 1];
        double leftOne = ones[2 * index], rightOne = ones[(2 * index) + 1];
        int vectors = points.Weights.Length;
        for (int i = 0; i < vectors; i++)
        {
            Vector512<double> leftTerm = terms[(2 * index * vectors) + i] * left.Value, rightTerm = terms[(((2 * index) + 1) * vectors) + i] * right.Value;
            Vector512<double> sum = leftTerm + rightTerm;
            Vector512<double> leftFactor = Factor(points, i, left.Zero, leftOne), rightFactor = Factor(points, i, right.Zero, rightOne);
            Vector512<double> over = leftFactor * rightFactor;
            Vector512<double> moves = (leftTerm * rightFactor * (leftOne - left.Zero)) + (rightTerm * leftFactor * (rightOne - right.Zero));
            if (branch.Earlier >= 0)
            {
                double zero = sides[branch.Earlier].Zero, one = ones[branch.Earlier];
                Vector512<double> earlier = Factor(points, i, zero, one);
                moves = (moves * earlier) - (sum * over * (one - zero));
                over *= earlier;
            }

            moved[branch.Feature] += points.Weights[i] * moves / over; // One division for all: it costs more than the rest together.
            if (branch.Above >= 0)
                terms[(branch.Above * vectors) + i] = sum;
        }
    }

    private static Vector512<double> Factor(UnitQuadrature points, int i, double zero, double one) => (points.Absent[i] * zero) + (points.Present[i] * one);
}
