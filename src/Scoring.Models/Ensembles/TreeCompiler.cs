namespace Scoring.Models.Ensembles;

/// <summary>Turns a node table into the arrays of the kernels.</summary>
/// <remarks>
/// QuickScorer (Lucchese et al., SIGIR 2015), tree by tree: leaves are numbered left to right from the most significant bit; a test
/// that fails clears the leaves of its left subtree; the first bit left standing is the leaf. Every mode of ONNX is first brought
/// into one of "left where x &lt;= t" and "left where x == t": x &lt; t is x &lt;= the float below t, and the "greater" modes swap the children.
/// </remarks>
internal sealed class TreeCompiler(TreeNodes source)
{
    // Turn bits, by which of (x <= t) + 2 (x >= t) holds: bit 0 NaN, bit 1 below, bit 2 above, bit 3 equal.
    private const int MissingRight = 0b0101;
    private const int MissingLeft = 0b0100;
    private const int Unequal = 0b0111;
    private const int UnequalMissingLeft = 0b0110;

    private readonly List<CompiledTree> trees = new(source.TreeCount);
    private readonly List<int> offsets = [];
    private readonly List<float> thresholds = [];
    private readonly List<uint> masks = [];
    private readonly List<float> leaves = [];
    private readonly WalkNode[] nodes = new WalkNode[source.NodeCount];

    /// <summary>Compiles a sound table (<see cref="TreeStructure"/> found no fault).</summary>
    internal static TreeProgram Compile(TreeNodes source)
    {
        var compiler = new TreeCompiler(source);
        for (int node = 0; node < source.NodeCount; node++)
            compiler.nodes[node] = compiler.Normalize(node);
        for (int tree = 0; tree < source.TreeCount; tree++)
            compiler.AddTree(source.Roots.Span[tree], source.EndOf(tree));
        return new TreeProgram
        {
            Trees = [.. compiler.trees],
            Offsets = [.. compiler.offsets],
            Thresholds = [.. compiler.thresholds],
            Masks = [.. compiler.masks],
            Leaves = [.. compiler.leaves],
            Nodes = compiler.nodes,
            Values = source.Weights.ToArray(),
        };
    }

    private WalkNode Normalize(int node)
    {
        TreeNodeMode mode = source.Modes.Span[node];
        if (mode == TreeNodeMode.Leaf)
            return new WalkNode(0, 0, node, node);
        float threshold = source.Thresholds.Span[node];
        bool missing = source.MissingIsTrue.Span[node];
        int whereTrue = source.TrueNodes.Span[node], whereFalse = source.FalseNodes.Span[node];
        int feature = source.Features.Span[node] << 4;
        return mode switch
        {
            TreeNodeMode.AtMost => new(threshold, feature | (missing ? MissingLeft : MissingRight), whereTrue, whereFalse),
            TreeNodeMode.Above => new(threshold, feature | (missing ? MissingRight : MissingLeft), whereFalse, whereTrue),
            TreeNodeMode.Below => Below(threshold, feature | (missing ? MissingLeft : MissingRight), whereTrue, whereFalse),
            TreeNodeMode.AtLeast => Below(threshold, feature | (missing ? MissingRight : MissingLeft), whereFalse, whereTrue),
            TreeNodeMode.Equal => new(threshold, feature | (missing ? UnequalMissingLeft : Unequal), whereTrue, whereFalse),
            TreeNodeMode.NotEqual => new(threshold, feature | Unequal, whereFalse, whereTrue),
            _ => throw new NotSupportedException($"mode {mode} has no compiled form"),
        };
    }

    // No float lies below -infinity: -infinity itself goes right too, which no mask can say, so such a tree is walked.
    private static WalkNode Below(float threshold, int featureAndTurn, int left, int right) =>
        float.IsNegativeInfinity(threshold)
            ? new(threshold, featureAndTurn | 0b1000, left, right)
            : new(MathF.BitDecrement(threshold), featureAndTurn, left, right);

    private void AddTree(int root, int end)
    {
        int leafCount = 0;
        bool masked = true;
        for (int node = root; node < end; node++)
        {
            if (source.Modes.Span[node] == TreeNodeMode.Leaf)
                leafCount++;
            else
                masked &= (nodes[node].FeatureAndTurn & 15) is MissingRight or MissingLeft or Unequal;
        }

        if (!masked || leafCount > 64)
        {
            trees.Add(new CompiledTree(TreeShape.Walk, 0, 0, 0, 0, 0, 0, root));
            return;
        }

        TreeShape shape = leafCount <= 32 ? TreeShape.OneWord : TreeShape.TwoWords;
        (int test, int mask, int leaf) = (offsets.Count, masks.Count, leaves.Count);
        Dictionary<int, ulong> surviving = NumberLeaves(root);
        int missingRight = AddTests(root, end, MissingRight, surviving, shape);
        if (missingRight % 2 == 1)
        {
            // The kernels take these two at a time; this one clears nothing.
            AddTest(offset: 0, float.PositiveInfinity, ulong.MaxValue, shape);
            missingRight++;
        }

        int missingLeft = AddTests(root, end, MissingLeft, surviving, shape);
        int unequal = AddTests(root, end, Unequal, surviving, shape);
        int leafSlots = shape == TreeShape.OneWord ? 32 : 64;
        while (leaves.Count < leaf + leafSlots)
            leaves.Add(0);
        trees.Add(new CompiledTree(shape, test, missingRight, missingLeft, unequal, mask, leaf, root));
    }

    // Leaf values left to right, and per branch the leaves that survive when its test fails.
    private Dictionary<int, ulong> NumberLeaves(int root)
    {
        var surviving = new Dictionary<int, ulong>();
        var firstLeaf = new Dictionary<int, int>();
        var open = new Stack<(int Node, bool LeftIsDone)>([(root, false)]);
        int leafNumber = 0;
        while (open.TryPop(out (int Node, bool LeftIsDone) at))
        {
            WalkNode node = nodes[at.Node];
            if (source.Modes.Span[at.Node] == TreeNodeMode.Leaf)
            {
                leaves.Add(source.Weights.Span[at.Node]);
                leafNumber++;
            }
            else if (!at.LeftIsDone)
            {
                firstLeaf[at.Node] = leafNumber;
                open.Push((at.Node, true));
                open.Push((node.Left, false));
            }
            else
            {
                int first = firstLeaf[at.Node];
                ulong left = (ulong.MaxValue >> (64 - (leafNumber - first))) << (64 - leafNumber);
                surviving[at.Node] = ~left;
                open.Push((node.Right, false));
            }
        }

        return surviving;
    }

    private int AddTests(int root, int end, int turn, Dictionary<int, ulong> surviving, TreeShape shape)
    {
        int before = offsets.Count;
        for (int node = root; node < end; node++)
        {
            if (!surviving.TryGetValue(node, out ulong mask) || (nodes[node].FeatureAndTurn & 15) != turn)
                continue;
            AddTest(nodes[node].FeatureAndTurn & ~15, nodes[node].Threshold, mask, shape);
        }

        return offsets.Count - before;
    }

    private void AddTest(int offset, float threshold, ulong mask, TreeShape shape)
    {
        offsets.Add(offset);
        thresholds.Add(threshold);
        masks.Add((uint)(mask >> 32));
        if (shape == TreeShape.TwoWords)
            masks.Add((uint)mask);
    }
}
