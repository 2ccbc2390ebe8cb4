namespace Scoring.Models.Ensembles;

/// <summary>Fills a <see cref="TreeNodes"/> tree by tree. The first node added after <see cref="BeginTree"/> is the root.</summary>
public sealed class TreeNodesBuilder(int featureCount)
{
    private readonly List<int> roots = [];
    private readonly List<TreeNodeMode> modes = [];
    private readonly List<int> features = [];
    private readonly List<float> thresholds = [];
    private readonly List<bool> missingIsTrue = [];
    private readonly List<int> trueNodes = [];
    private readonly List<int> falseNodes = [];
    private readonly List<float> weights = [];
    private readonly List<float> covers = [];

    /// <summary>Added once to every margin.</summary>
    public float BaseValue { get; set; }

    /// <summary>Whether the weights are averaged over the trees instead of summed.</summary>
    public bool Average { get; set; }

    /// <summary>What turns the margin into the model's own output.</summary>
    public TreePostTransform PostTransform { get; set; }

    /// <summary>Starts the next tree.</summary>
    public void BeginTree() => roots.Add(modes.Count);

    /// <summary>Adds a leaf.</summary>
    /// <param name="weight">What it adds to the margin.</param>
    /// <param name="cover">Training rows that ended here; NaN when not known.</param>
    /// <returns>Number of the node.</returns>
    public int AddLeaf(float weight, float cover = float.NaN) =>
        Add(TreeNodeMode.Leaf, feature: 0, threshold: 0, missing: false, weight, cover);

    /// <summary>Adds a branch; name its children by <see cref="Connect"/>.</summary>
    /// <param name="mode">Test.</param>
    /// <param name="feature">Feature that is tested, below the feature count.</param>
    /// <param name="threshold">Threshold of the test.</param>
    /// <param name="missing">Whether NaN takes the true branch.</param>
    /// <param name="cover">Training rows that came through; NaN when not known.</param>
    /// <returns>Number of the node.</returns>
    public int AddBranch(TreeNodeMode mode, int feature, float threshold, bool missing = false, float cover = float.NaN) =>
        Add(mode, feature, threshold, missing, weight: 0, cover);

    /// <summary>Names the children of a branch.</summary>
    public void Connect(int branch, int whereTrue, int whereFalse) =>
        (trueNodes[branch], falseNodes[branch]) = (whereTrue, whereFalse);

    /// <summary>The finished table. Covers are kept when every node has one.</summary>
    /// <exception cref="InvalidOperationException">The nodes are not sound trees; the message names tree, node and fault.</exception>
    public TreeNodes Build()
    {
        var nodes = new TreeNodes
        {
            FeatureCount = featureCount,
            Roots = roots.ToArray(),
            Modes = modes.ToArray(),
            Features = features.ToArray(),
            Thresholds = thresholds.ToArray(),
            MissingIsTrue = missingIsTrue.ToArray(),
            TrueNodes = trueNodes.ToArray(),
            FalseNodes = falseNodes.ToArray(),
            Weights = weights.ToArray(),
            Covers = covers.Exists(float.IsNaN) ? default : covers.ToArray(),
            BaseValue = BaseValue,
            Average = Average,
            PostTransform = PostTransform,
        };
        return TreeStructure.FindFault(nodes) is { } fault
            ? throw new InvalidOperationException($"tree {fault.Tree}, node {fault.Node}: {fault.What}")
            : nodes;
    }

    private int Add(TreeNodeMode mode, int feature, float threshold, bool missing, float weight, float cover)
    {
        modes.Add(mode);
        features.Add(feature);
        thresholds.Add(threshold);
        missingIsTrue.Add(missing);
        trueNodes.Add(-1);
        falseNodes.Add(-1);
        weights.Add(weight);
        covers.Add(cover);
        return modes.Count - 1;
    }
}
