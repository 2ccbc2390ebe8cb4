using System.Reflection;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Between ONNX models and our tree engine, both ways.</summary>
public static class OnnxTrees
{
    /// <summary>Compiles the trees of a model whose graph is one tree operator on the input, and around it nothing that changes the score.</summary>
    /// <remarks>What ONNX Runtime does with a file is what counts, its quirks included; a form that we have not proven equal goes to it.</remarks>
    public static TreeEnsembleReading Read(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        OnnxGraph graph = model.Graph;
        OnnxNode[] trees = [.. graph.Nodes.Where(OnnxTreeTable.IsTreeOperator)];
        if (trees.Length != 1)
            return No($"{trees.Length} tree operators in the graph; our engine takes one");
        OnnxValue? input = graph.Inputs.FirstOrDefault(value => trees[0].Inputs.Contains(value.Name, StringComparer.Ordinal));
        if (input?.Dimensions is not { Count: 2 } dimensions)
            return No("the trees do not read the input itself: other operators prepare it");
        if (FindForeignOperator(graph, trees[0]) is { } foreign)
            return No($"operator {foreign} stands behind the trees");
        if (OnnxTreeTable.Read(trees[0], dimensions[1], out OnnxFault fault) is not { } table)
            return No(fault.ToString());
        if (table.IsDouble)
            return No("thresholds or weights are double precision");
        if (table.Nodes.Modes.Span.Contains(TreeNodeMode.Member))
            return No("a node tests membership in a set (BRANCH_MEMBER)");
        if (table.Aggregate is not ("SUM" or "AVERAGE"))
            return No($"trees joined by {table.Aggregate}");
        return string.Equals(trees[0].Operator, "TreeEnsembleClassifier", StringComparison.Ordinal) ? Classifier(table) : Regressor(table, trees[0]);
    }

    /// <summary>The ensemble as a TreeEnsembleRegressor of ai.onnx.ml 3: input <c>features</c> [N, FeatureCount], output <c>margin</c> [N, 1].</summary>
    /// <exception cref="ArgumentException">The table has a post transform: ONNX Runtime ignores one on a regressor, so the file would lie.</exception>
    public static OnnxModel Write(TreeNodes nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.PostTransform != TreePostTransform.None)
            throw new ArgumentException("a regressor's output is its margin: keep the transform in the manifest", nameof(nodes));
        var node = new OnnxNode
        {
            Operator = "TreeEnsembleRegressor",
            Domain = OnnxOperators.MachineLearning,
            Name = "trees",
            Inputs = ["features"],
            Outputs = ["margin"],
            Settings = new OnnxTreeSettings(nodes).ToList(),
        };
        return new OnnxModel
        {
            IrVersion = 8,
            ProducerName = "FraudScoring",
            ProducerVersion = typeof(OnnxTrees).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version ?? "",
            OperatorSets = [new OnnxOperatorSet("", 17), new OnnxOperatorSet(OnnxOperators.MachineLearning, 3)],
            Graph = new OnnxGraph
            {
                Name = "trees",
                Nodes = [node],
                Inputs = [OnnxValue.Matrix("features", nodes.FeatureCount)],
                Outputs = [OnnxValue.Matrix("margin", 1)],
            },
        };
    }

    private static TreeEnsembleReading Regressor(OnnxTreeTable table, OnnxNode node)
    {
        if (table.TargetCount != 1)
            return No($"{table.TargetCount} targets; a score is one");
        if (!string.Equals(table.PostTransform, "NONE", StringComparison.Ordinal))
            return No($"{node.Operator} with post_transform {table.PostTransform}, which ONNX Runtime does not apply to one target");
        if (table.BaseValues.Length > 1)
            return No($"{table.BaseValues.Length} base values for one target");
        return Compile(table, static (_, weight) => weight, table.BaseValues.IsEmpty ? 0 : table.BaseValues.Span[0], TreePostTransform.None);
    }

    private static TreeEnsembleReading Classifier(OnnxTreeTable table)
    {
        if (table.TargetCount != 2)
            return No($"{table.TargetCount} classes; our engine takes two");
        if (table.PostTransform is not ("NONE" or "LOGISTIC"))
            return No($"classes with post_transform {table.PostTransform}");
        bool logistic = string.Equals(table.PostTransform, "LOGISTIC", StringComparison.Ordinal);
        int classesWeighted = table.Weights.Select(entry => entry.Target).Distinct().Count();
        if (classesWeighted == 2)
        {
            // Each class has its own sum and its own transform; the second is the score.
            return table.BaseValues.IsEmpty
                ? Compile(table, static (target, weight) => target == 1 ? weight : 0, 0, logistic ? TreePostTransform.Logistic : TreePostTransform.None)
                : No("two weighted classes with base values");
        }

        // One weighted class is the margin of the second, whichever id it carries. Without a transform ONNX Runtime takes the sum for
        // a probability when no weight is negative, and writes it with both signs otherwise.
        if (table.BaseValues.Length > 1)
            return No("one weighted class with two base values");
        bool isProbability = !logistic && table.Weights.All(entry => entry.Weight >= 0);
        if (!isProbability && !logistic)
            return No("one weighted class with weights of both signs and no transform: its scores are not probabilities");
        float baseValue = table.BaseValues.IsEmpty ? 0 : table.BaseValues.Span[0];
        return Compile(table, static (_, weight) => weight, baseValue, logistic ? TreePostTransform.Logistic : TreePostTransform.None);
    }

    private static TreeEnsembleReading Compile(OnnxTreeTable table, Func<long, float, float> weightOf, float baseValue, TreePostTransform transform)
    {
        var weights = new float[table.Nodes.NodeCount];
        foreach ((int leaf, long target, float weight) in table.Weights)
            weights[leaf] += weightOf(target, weight);
        return new TreeEnsembleReading(
            TreeEnsemble.Compile(table.Nodes with
            {
                Weights = weights,
                BaseValue = baseValue,
                Average = string.Equals(table.Aggregate, "AVERAGE", StringComparison.Ordinal),
                PostTransform = transform,
            }),
            Reason: "");
    }

    // Behind the trees only what leaves the score as it is: names, the label's integer type, multiplication by one, ZipMap.
    private static string? FindForeignOperator(OnnxGraph graph, OnnxNode trees)
    {
        var passed = new HashSet<string>(trees.Outputs, StringComparer.Ordinal);
        foreach (OnnxNode node in graph.Nodes.Where(node => !ReferenceEquals(node, trees)))
        {
            bool harmless = node.Operator switch
            {
                "Identity" or "ZipMap" => true,
                "Cast" => (OnnxElementType)node.Integer("to", 0) is OnnxElementType.Float or OnnxElementType.Int64,
                "Mul" => node.Inputs.Count == 2 && IsOne(graph, node.Inputs[1]),
                _ => false,
            };
            if (!harmless || node.Inputs.Count == 0 || !passed.Contains(node.Inputs[0]))
                return node.Operator;
            passed.UnionWith(node.Outputs);
        }

        return null;
    }

    private static bool IsOne(OnnxGraph graph, string name) =>
        graph.Initializers.FirstOrDefault(tensor => string.Equals(tensor.Name, name, StringComparison.Ordinal))?.ToFloats() is [1f];

    private static TreeEnsembleReading No(string reason) => new(Ensemble: null, $"{reason}: runs in ONNX Runtime");
}
