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

    // Per side of the tree at hand, the first of which is the way to the root: 1 where all tests of its feature up to it let this row through, else 0;
    // the product of the path's factors at eight points, which becomes the sum over the leaves below of leaf value times product. Two vectors per
    // branch, each in a cache line of its own.
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
        int sidesMax = 1 + (2 * paths.Trees.Max(tree => tree.Count));
        quadratures = [.. Enumerable.Range(1, vectorsMax).Select(UnitQuadrature.WithVectors)];
        ones = new double[sidesMax];
        terms = GC.AllocateUninitializedArray<Vector512<double>>(sidesMax + 1, pinned: true);
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
    public unsafe void Explain(ReadOnlySpan<float> row, Span<double> contributions)
    {
        if (row.Length != ensemble.FeatureCount)
            throw new ArgumentException($"{ensemble.FeatureCount} features are due, got {row.Length}", nameof(row));
        if (contributions.Length != row.Length)
            throw new ArgumentException($"{row.Length} contributions are due, got {contributions.Length}", nameof(contributions));
        moved.AsSpan().Clear();
        fixed (TreeBranch* branches = paths.Branches)
        fixed (WalkNode* nodes = ensemble.Program.Nodes)
        fixed (double* passes = ones)
        fixed (Vector512<double>* unaligned = terms, sums = moved)
        fixed (float* features = row)
        {
            var aligned = (Vector512<double>*)(((nuint)unaligned + 63) & ~(nuint)63);
            passes[0] = 1;
            foreach (ref readonly TreePath tree in paths.Trees.AsSpan())
            {
                UnitQuadrature points = quadratures[UnitQuadrature.VectorsFor(tree.FeaturesMax - 1) - 1];
                for (int i = 0; i < points.Weights.Length; i++)
                {
                    aligned[0] = Vector512<double>.One;
                    Descend(branches + tree.First, tree.Count, nodes, features, points.Absent[i], points.Present[i], passes, aligned);
                    Ascend(branches + tree.First, tree.Count, points.Absent[i], points.Present[i], points.Weights[i], passes, aligned, sums);
                }
            }
        }

        for (int feature = 0; feature < contributions.Length; feature++)
            contributions[feature] = scale * Vector512.Sum(moved[feature]);
    }

    // The products of each branch's two sides: that of the way to it times the side's factor, which takes the place of an earlier factor of the
    // same feature. No branch on the row: which way it goes is as good as random.
    private static unsafe void Descend(TreeBranch* branches, int count, WalkNode* nodes, float* features, Vector512<double> absent, Vector512<double> present, double* passes, Vector512<double>* products)
    {
        for (int index = 0; index < count; index++)
        {
            TreeBranch* branch = branches + index;
            WalkNode* node = nodes + branch->Node;
            double earlier = passes[branch->Earlier];
            double left = Unsafe.BitCast<bool, byte>(TreeKernels.Step(node, features[branch->Feature]) == node->Left) * earlier, right = earlier - left;
            Vector512<double> above = products[branch->Above];
            if (branch->Earlier != 0)
                above /= Factor(absent, present, branch->EarlierZero, earlier);
            passes[(2 * index) + 1] = left;
            passes[(2 * index) + 2] = right;
            products[(2 * index) + 1] = above * Factor(absent, present, branch->LeftZero, left);
            products[(2 * index) + 2] = above * Factor(absent, present, branch->RightZero, right);
        }
    }

    // The sums of each branch's two sides, and what they say of its feature: the integral without its own factor, times the difference that it
    // makes. Where the feature was met before, these leaves stand in that side's sum too, with a factor they do not have: taken out again.
    private static unsafe void Ascend(TreeBranch* branches, int count, Vector512<double> absent, Vector512<double> present, Vector512<double> weight, double* passes, Vector512<double>* products, Vector512<double>* sums)
    {
        for (int index = count - 1; index >= 0; index--)
        {
            TreeBranch* branch = branches + index;
            double leftOne = passes[(2 * index) + 1], rightOne = passes[(2 * index) + 2];
            Vector512<double> leftTerm = products[(2 * index) + 1] * branch->LeftValue, rightTerm = products[(2 * index) + 2] * branch->RightValue;
            Vector512<double> sum = leftTerm + rightTerm;
            Vector512<double> leftFactor = Factor(absent, present, branch->LeftZero, leftOne), rightFactor = Factor(absent, present, branch->RightZero, rightOne);
            Vector512<double> over = leftFactor * rightFactor;
            Vector512<double> moves = (leftTerm * rightFactor * (leftOne - branch->LeftZero)) + (rightTerm * leftFactor * (rightOne - branch->RightZero));
            if (branch->Earlier != 0)
            {
                double zero = branch->EarlierZero, one = passes[branch->Earlier];
                Vector512<double> earlier = Factor(absent, present, zero, one);
                moves = (moves * earlier) - (sum * over * (one - zero));
                over *= earlier;
            }

            sums[branch->Feature] += weight * moves / over; // One division for all: it costs more than the rest together.
            products[branch->Above] = sum;
        }
    }

    private static Vector512<double> Factor(Vector512<double> absent, Vector512<double> present, double zero, double one) => (absent * zero) + (present * one);
}
