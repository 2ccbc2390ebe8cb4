namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Decodes the settings of one tree operator. Throws <see cref="Refusal"/>, which <see cref="OnnxTreeTable.Read"/> turns into a value.</summary>
internal sealed class OnnxTreeTableReader(OnnxNode node)
{
    private static readonly string[] AggregatesByNumber = ["AVERAGE", "SUM", "MIN", "MAX"];
    private static readonly string[] PostTransformsByNumber = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];

    /// <summary>Versions 1 and 3: nodes and weights as parallel lists, keyed by tree and node id.</summary>
    internal OnnxTreeTable ReadFirst()
    {
        ReadOnlySpan<long> treeIds = Integers("nodes_treeids"), nodeIds = Integers("nodes_nodeids");
        int count = treeIds.Length;
        if (count == 0)
            throw new Refusal("nodes_treeids", "the ensemble has no trees");
        RequireLength("nodes_nodeids", nodeIds.Length, count);
        int[] roots = FindRoots(treeIds);
        var locate = new RowIndex(treeIds, nodeIds);

        TreeNodeMode[] modes = ReadModes(count);
        ReadOnlySpan<long> features = Integers("nodes_featureids"), whereTrue = Integers("nodes_truenodeids"), whereFalse = Integers("nodes_falsenodeids");
        float[] thresholds = Singles("nodes_values", out bool isDouble);
        ReadOnlySpan<long> missing = Integers("nodes_missing_value_tracks_true");
        float[] covers = Singles("nodes_hitrates", out _);
        RequireLength("nodes_featureids", features.Length, count);
        RequireLength("nodes_truenodeids", whereTrue.Length, count);
        RequireLength("nodes_falsenodeids", whereFalse.Length, count);
        RequireLength("nodes_values", thresholds.Length, count);
        if (!missing.IsEmpty)
            RequireLength("nodes_missing_value_tracks_true", missing.Length, count);
        if (covers.Length > 0)
            RequireLength("nodes_hitrates", covers.Length, count);

        var (trueRows, falseRows, featureRows, missingRows) = (new int[count], new int[count], new int[count], new bool[count]);
        for (int row = 0; row < count; row++)
        {
            (trueRows[row], falseRows[row]) = (-1, -1);
            missingRows[row] = !missing.IsEmpty && missing[row] != 0;
            if (modes[row] == TreeNodeMode.Leaf)
                continue;
            if (features[row] is < 0 or > int.MaxValue)
                throw new Refusal(At(treeIds, nodeIds, row), $"feature {features[row]} is tested");
            featureRows[row] = (int)features[row];
            trueRows[row] = locate.Find(treeIds[row], whereTrue[row]) ?? throw new Refusal(At(treeIds, nodeIds, row), $"its true branch leads to node {whereTrue[row]}, which the tree does not have");
            falseRows[row] = locate.Find(treeIds[row], whereFalse[row]) ?? throw new Refusal(At(treeIds, nodeIds, row), $"its false branch leads to node {whereFalse[row]}, which the tree does not have");
        }

        bool classifier = string.Equals(node.Operator, "TreeEnsembleClassifier", StringComparison.Ordinal);
        string prefix = classifier ? "class" : "target";
        long targetCount = classifier ? ClassCount() : node.Integer("n_targets", 0);
        return new OnnxTreeTable
        {
            Nodes = Table(roots, modes, featureRows, thresholds, missingRows, trueRows, falseRows, covers),
            TargetCount = targetCount,
            Weights = ReadWeights(prefix, locate, out bool weightsAreDouble),
            BaseValues = Singles("base_values", out bool baseIsDouble),
            Aggregate = classifier ? "SUM" : node.Text("aggregate_function", "SUM"),
            PostTransform = node.Text("post_transform", "NONE"),
            IsDouble = isDouble || weightsAreDouble || baseIsDouble,
        };
    }

    /// <summary>Version 5: branches and leaves in lists of their own, children by position.</summary>
    internal OnnxTreeTable ReadFifth()
    {
        long[] roots = Integers("tree_roots").ToArray();
        if (roots.Length == 0)
            throw new Refusal("tree_roots", "the ensemble has no trees");
        var layout = new OnnxTreeLayout(
            Integers("nodes_featureids").ToArray(),
            Integers("nodes_truenodeids").ToArray(),
            Integers("nodes_falsenodeids").ToArray(),
            Integers("nodes_trueleafs").ToArray(),
            Integers("nodes_falseleafs").ToArray(),
            Integers("nodes_missing_value_tracks_true").ToArray(),
            node.Find("nodes_modes")?.Tensor?.ToIntegers() ?? [],
            Singles("nodes_splits", out bool splitsAreDouble),
            Singles("nodes_hitrates", out _),
            Integers("leaf_targetids").ToArray(),
            Singles("leaf_weights", out bool weightsAreDouble));
        int branchCount = layout.Features.Length;
        RequireLength("nodes_truenodeids", layout.WhereTrue.Length, branchCount);
        RequireLength("nodes_falsenodeids", layout.WhereFalse.Length, branchCount);
        RequireLength("nodes_trueleafs", layout.TrueIsLeaf.Length, branchCount);
        RequireLength("nodes_falseleafs", layout.FalseIsLeaf.Length, branchCount);
        RequireLength("nodes_modes", layout.Modes.Length, branchCount);
        RequireLength("nodes_splits", layout.Splits.Length, branchCount);
        if (layout.Missing.Length > 0)
            RequireLength("nodes_missing_value_tracks_true", layout.Missing.Length, branchCount);
        if (layout.Covers.Length > 0)
            RequireLength("nodes_hitrates", layout.Covers.Length, branchCount);
        RequireLength("leaf_targetids", layout.LeafTargets.Length, layout.LeafWeights.Length);

        (TreeNodes nodes, List<(int, long, float)> weights) = layout.Unroll(roots);
        long aggregate = node.Integer("aggregate_function", 1), postTransform = node.Integer("post_transform", 0);
        return new OnnxTreeTable
        {
            Nodes = nodes,
            TargetCount = node.Integer("n_targets", 1),
            Weights = weights,
            BaseValues = default,
            Aggregate = aggregate is >= 0 and < 4 ? AggregatesByNumber[aggregate] : throw new Refusal("aggregate_function", $"{aggregate} is not a way to join trees"),
            PostTransform = postTransform is >= 0 and < 5 ? PostTransformsByNumber[postTransform] : throw new Refusal("post_transform", $"{postTransform} is not a transform"),
            IsDouble = splitsAreDouble || weightsAreDouble,
        };
    }

    /// <summary>Every leaf has a weight, every weight a target and a finite value.</summary>
    internal static void CheckWeights(OnnxTreeTable table)
    {
        if (table.TargetCount < 1)
            throw new Refusal("n_targets", $"{table.TargetCount} targets");
        var weighted = new bool[table.Nodes.NodeCount];
        for (int entry = 0; entry < table.Weights.Count; entry++)
        {
            (int leaf, long target, float weight) = table.Weights[entry];
            if (target < 0 || target >= table.TargetCount)
                throw new Refusal($"weight {entry}", $"it is for target {target}, the ensemble has {table.TargetCount}");
            if (!float.IsFinite(weight))
                throw new Refusal($"weight {entry}", $"it is {weight}, not a finite number");
            if (table.Nodes.Modes.Span[leaf] != TreeNodeMode.Leaf)
                throw new Refusal($"weight {entry}", "it belongs to a branch, not to a leaf");
            weighted[leaf] = true;
        }

        ReadOnlySpan<int> roots = table.Nodes.Roots.Span;
        for (int tree = 0; tree < roots.Length; tree++)
        {
            for (int row = roots[tree]; row < table.Nodes.EndOf(tree); row++)
            {
                if (table.Nodes.Modes.Span[row] == TreeNodeMode.Leaf && !weighted[row])
                    throw new Refusal($"tree {tree}, node {row - roots[tree]}", "the leaf has no weight");
            }
        }

        foreach (float value in table.BaseValues.Span)
        {
            if (!float.IsFinite(value))
                throw new Refusal("base_values", $"{value} is not a finite number");
        }
    }

    internal static TreeNodes Table(int[] roots, TreeNodeMode[] modes, int[] features, float[] thresholds, bool[] missing, int[] whereTrue, int[] whereFalse, float[] covers) => new()
    {
        FeatureCount = 1,
        Roots = roots,
        Modes = modes,
        Features = features,
        Thresholds = thresholds,
        MissingIsTrue = missing,
        TrueNodes = whereTrue,
        FalseNodes = whereFalse,
        Weights = new float[modes.Length],
        Covers = covers,
    };

    // ONNX Runtime takes each run of one tree id as a tree and its first node as the root; so do we, and a tree in two runs is refused.
    private static int[] FindRoots(ReadOnlySpan<long> treeIds)
    {
        List<int> roots = [];
        var known = new HashSet<long>();
        for (int row = 0; row < treeIds.Length; row++)
        {
            if (row > 0 && treeIds[row] == treeIds[row - 1])
                continue;
            if (!known.Add(treeIds[row]))
                throw new Refusal($"nodes_treeids[{row}]", $"the nodes of tree {treeIds[row]} do not stand side by side");
            if (roots.Count == TreeStructure.TreesMax)
                throw new Refusal($"nodes_treeids[{row}]", $"more than {TreeStructure.TreesMax} trees");
            roots.Add(row);
        }

        return [.. roots];
    }

    private List<(int Leaf, long Target, float Weight)> ReadWeights(string prefix, RowIndex locate, out bool isDouble)
    {
        ReadOnlySpan<long> trees = Integers($"{prefix}_treeids"), nodes = Integers($"{prefix}_nodeids"), ids = Integers($"{prefix}_ids");
        float[] values = Singles($"{prefix}_weights", out isDouble);
        RequireLength($"{prefix}_treeids", trees.Length, values.Length);
        RequireLength($"{prefix}_nodeids", nodes.Length, values.Length);
        RequireLength($"{prefix}_ids", ids.Length, values.Length);
        List<(int, long, float)> weights = new(values.Length);
        for (int entry = 0; entry < values.Length; entry++)
        {
            int leaf = locate.Find(trees[entry], nodes[entry]) ?? throw new Refusal($"{prefix}_nodeids[{entry}]", $"tree {trees[entry]} has no node {nodes[entry]}");
            weights.Add((leaf, ids[entry], values[entry]));
        }

        return weights;
    }

    private TreeNodeMode[] ReadModes(int count)
    {
        ReadOnlySpan<string> texts = node.Find("nodes_modes") is { Kind: OnnxSettingKind.Texts } setting ? setting.Texts.Span : default;
        RequireLength("nodes_modes", texts.Length, count);
        var modes = new TreeNodeMode[count];
        for (int row = 0; row < count; row++)
        {
            modes[row] = texts[row] switch
            {
                "LEAF" => TreeNodeMode.Leaf,
                "BRANCH_LEQ" => TreeNodeMode.AtMost,
                "BRANCH_LT" => TreeNodeMode.Below,
                "BRANCH_GTE" => TreeNodeMode.AtLeast,
                "BRANCH_GT" => TreeNodeMode.Above,
                "BRANCH_EQ" => TreeNodeMode.Equal,
                "BRANCH_NEQ" => TreeNodeMode.NotEqual,
                _ => throw new Refusal($"nodes_modes[{row}]", $"'{Shorten(texts[row])}' is not a mode of a tree node"),
            };
        }

        return modes;
    }

    private long ClassCount()
    {
        int integers = Integers("classlabels_int64s").Length;
        int texts = node.Find("classlabels_strings") is { Kind: OnnxSettingKind.Texts } setting ? setting.Texts.Length : 0;
        return texts == 0 ? integers : throw new Refusal("classlabels_strings", "the classes are texts: export them as integers");
    }

    private ReadOnlySpan<long> Integers(string name) => node.Find(name) switch
    {
        null => default,
        { Kind: OnnxSettingKind.Integers } setting => setting.Integers.Span,
        _ => throw new Refusal(name, "it is not a list of integers"),
    };

    // Each list of numbers exists as a list of floats and, since version 3, as a tensor in either precision.
    private float[] Singles(string name, out bool isDouble)
    {
        OnnxSetting? list = node.Find(name), tensor = node.Find(name + "_as_tensor");
        if (list is not null && tensor is not null)
            throw new Refusal(name, "it is given twice, as a list and as a tensor");
        isDouble = (tensor ?? list)?.Tensor?.ElementType == OnnxElementType.Double;
        return (tensor ?? list) switch
        {
            null => [],
            { Kind: OnnxSettingKind.Floats } setting => setting.Floats.ToArray(),
            { Kind: OnnxSettingKind.Tensor } setting => setting.Tensor?.ToFloats() ?? throw new Refusal(name, "it is not a list of floats"),
            _ => throw new Refusal(name, "it is not a list of floats"),
        };
    }

    private static void RequireLength(string name, int length, int due)
    {
        if (length != due)
            throw new Refusal(name, $"it has {length} values where {due} are due");
    }

    private static string At(ReadOnlySpan<long> treeIds, ReadOnlySpan<long> nodeIds, int row) => $"tree {treeIds[row]}, node {nodeIds[row]}";

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";

    /// <summary>Row of a node by tree id and node id.</summary>
    private sealed class RowIndex
    {
        private readonly Dictionary<(long Tree, long Node), int> rows;

        internal RowIndex(ReadOnlySpan<long> treeIds, ReadOnlySpan<long> nodeIds)
        {
            rows = new(treeIds.Length);
            for (int row = 0; row < treeIds.Length; row++)
            {
                if (!rows.TryAdd((treeIds[row], nodeIds[row]), row))
                    throw new Refusal(At(treeIds, nodeIds, row), "two nodes have this id");
            }
        }

        internal int? Find(long tree, long node) => rows.TryGetValue((tree, node), out int row) ? row : null;
    }

    /// <summary>Leaves the decoding with a fault; never leaves this folder.</summary>
    internal sealed class Refusal(string where, string what) : Exception(what)
    {
        internal string Where { get; } = where;
    }
}
