namespace Scoring.Models.Ensembles.Devices;

/// <summary>A comparison <c>x &lt;= threshold</c>, where x is a feature or, with its sign turned, its negation.</summary>
/// <param name="Feature">Feature.</param>
/// <param name="Negated">Whether x is the feature times -1.</param>
/// <param name="Threshold">Threshold, infinities included.</param>
internal readonly record struct TensorTest(int Feature, bool Negated, float Threshold);

/// <summary>A leaf and what its way asks of the tests.</summary>
/// <param name="Value">What it adds to the margin.</param>
/// <param name="Due">Sum of weighted tests that it takes to be reached.</param>
/// <param name="Way">Tests on its way with their weights, -2 to 2.</param>
internal readonly record struct TensorLeaf(float Value, int Due, IReadOnlyList<(int Test, int Weight)> Way);

/// <summary>One tree as comparisons and leaves.</summary>
/// <remarks>
/// A branch of the compiled tree turns right by a truth table over four cases of x and its threshold t: NaN, below, above, equal. With
/// <c>le</c>, <c>lt</c> and <c>gt</c> as 0 or 1, below is lt, above is gt, equal is le - lt and NaN is 1 - le - gt; so "right" is a weighted
/// sum of the three. The usual test (left where x &lt;= t, NaN right) needs le alone: right is 1 - le.
/// </remarks>
internal sealed class TensorTree
{
    private readonly List<TensorTest> tests = [];
    private readonly List<TensorLeaf> leaves = [];

    private TensorTree()
    {
    }

    internal IReadOnlyList<TensorTest> Tests => tests;

    internal IReadOnlyList<TensorLeaf> Leaves => leaves;

    internal int LeafCount => leaves.Count;

    internal static TensorTree Of(TreeProgram program, int root)
    {
        var tree = new TensorTree();
        tree.Walk(program, root);
        return tree;
    }

    private void Walk(TreeProgram program, int root)
    {
        var way = new List<(int Test, int Weight)>();
        var open = new Stack<(int Node, int Due, int Steps, (int Test, int Weight)[] Step)>([(root, 0, 0, [])]);
        while (open.TryPop(out var at))
        {
            way.RemoveRange(at.Steps, way.Count - at.Steps);
            way.AddRange(at.Step);
            WalkNode node = program.Nodes[at.Node];
            if (node.Left == at.Node)
            {
                leaves.Add(new TensorLeaf(program.Values[at.Node], at.Due, [.. way]));
                continue;
            }

            // right = isRightForMissing + sum of the terms; left = 1 - right.
            (int isRightForMissing, (int Test, int Weight)[] right) = AddTests(node);
            (int Test, int Weight)[] left = Array.ConvertAll(right, term => (term.Test, -term.Weight));
            open.Push((node.Right, at.Due + 1 - isRightForMissing, way.Count, right));
            open.Push((node.Left, at.Due + isRightForMissing, way.Count, left));
        }
    }

    private (int IsRightForMissing, (int Test, int Weight)[] Right) AddTests(WalkNode node)
    {
        int turn = node.FeatureAndTurn & 15, feature = node.FeatureAndTurn >> 4;
        int missing = turn & 1, below = (turn >> 1) & 1, above = (turn >> 2) & 1, equal = (turn >> 3) & 1;
        var terms = new List<(int, int)>(3);
        Add(equal - missing, new TensorTest(feature, Negated: false, node.Threshold));

        // x < t is x <= the float below t, and x > t is -x < -t. Nothing lies below -infinity or above infinity: those tests are always 0.
        if (!float.IsNegativeInfinity(node.Threshold))
            Add(below - equal, new TensorTest(feature, Negated: false, MathF.BitDecrement(node.Threshold)));
        if (!float.IsPositiveInfinity(node.Threshold))
            Add(above - missing, new TensorTest(feature, Negated: true, MathF.BitDecrement(-node.Threshold)));
        return (missing, [.. terms]);

        void Add(int weight, TensorTest test)
        {
            if (weight == 0)
                return;
            terms.Add((tests.Count, weight));
            tests.Add(test);
        }
    }
}
