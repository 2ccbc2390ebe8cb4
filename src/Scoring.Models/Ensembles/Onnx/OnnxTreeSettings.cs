namespace Scoring.Models.Ensembles.Onnx;

/// <summary>A node table as the settings of a TreeEnsembleRegressor.</summary>
internal sealed class OnnxTreeSettings(TreeNodes nodes)
{
    private readonly long[] treeIds = new long[nodes.NodeCount];
    private readonly long[] nodeIds = new long[nodes.NodeCount];
    private readonly long[] whereTrue = new long[nodes.NodeCount];
    private readonly long[] whereFalse = new long[nodes.NodeCount];
    private readonly long[] features = new long[nodes.NodeCount];
    private readonly long[] missing = new long[nodes.NodeCount];
    private readonly string[] modes = new string[nodes.NodeCount];
    private readonly List<long> leafTrees = [];
    private readonly List<long> leafNodes = [];
    private readonly List<float> leafWeights = [];

    internal List<OnnxSetting> ToList()
    {
        for (int tree = 0; tree < nodes.TreeCount; tree++)
        {
            int root = nodes.Roots.Span[tree];
            for (int row = root; row < nodes.EndOf(tree); row++)
                Add(tree, root, row);
        }

        List<OnnxSetting> settings =
        [
            OnnxSetting.Of("n_targets", 1L),
            OnnxSetting.Of("post_transform", "NONE"),
            OnnxSetting.Of("aggregate_function", nodes.Average ? "AVERAGE" : "SUM"),
            OnnxSetting.Of("nodes_treeids", treeIds),
            OnnxSetting.Of("nodes_nodeids", nodeIds),
            OnnxSetting.Of("nodes_featureids", features),
            OnnxSetting.Of("nodes_modes", modes),
            OnnxSetting.Of("nodes_values", nodes.Thresholds.ToArray()),
            OnnxSetting.Of("nodes_missing_value_tracks_true", missing),
            OnnxSetting.Of("nodes_truenodeids", whereTrue),
            OnnxSetting.Of("nodes_falsenodeids", whereFalse),
            OnnxSetting.Of("target_treeids", leafTrees.ToArray()),
            OnnxSetting.Of("target_nodeids", leafNodes.ToArray()),
            OnnxSetting.Of("target_ids", new long[leafTrees.Count]),
            OnnxSetting.Of("target_weights", leafWeights.ToArray()),
        ];
        if (nodes.BaseValue != 0)
            settings.Add(OnnxSetting.Of("base_values", new[] { nodes.BaseValue }));
        if (!nodes.Covers.IsEmpty)
            settings.Add(OnnxSetting.Of("nodes_hitrates", nodes.Covers.ToArray()));
        return settings;
    }

    private void Add(int tree, int root, int row)
    {
        (treeIds[row], nodeIds[row]) = (tree, row - root);
        modes[row] = nodes.Modes.Span[row] switch
        {
            TreeNodeMode.Leaf => "LEAF",
            TreeNodeMode.AtMost => "BRANCH_LEQ",
            TreeNodeMode.Below => "BRANCH_LT",
            TreeNodeMode.AtLeast => "BRANCH_GTE",
            TreeNodeMode.Above => "BRANCH_GT",
            TreeNodeMode.Equal => "BRANCH_EQ",
            TreeNodeMode.NotEqual => "BRANCH_NEQ",
            var mode => throw new NotSupportedException($"{mode} is not a mode of version 3"),
        };
        if (nodes.Modes.Span[row] == TreeNodeMode.Leaf)
        {
            leafTrees.Add(tree);
            leafNodes.Add(row - root);
            leafWeights.Add(nodes.Weights.Span[row]);
            return;
        }

        features[row] = nodes.Features.Span[row];
        missing[row] = nodes.MissingIsTrue.Span[row] ? 1 : 0;
        whereTrue[row] = nodes.TrueNodes.Span[row] - root;
        whereFalse[row] = nodes.FalseNodes.Span[row] - root;
    }
}
