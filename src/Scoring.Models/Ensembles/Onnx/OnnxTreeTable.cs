namespace Scoring.Models.Ensembles.Onnx;

/// <summary>A tree operator of a graph, decoded and checked: node table plus the weights of every target.</summary>
/// <remarks>Reads TreeEnsembleRegressor and TreeEnsembleClassifier (ai.onnx.ml 1 and 3) and TreeEnsemble (5).</remarks>
internal sealed record OnnxTreeTable
{
    /// <summary>Structure; its weights are 0 still.</summary>
    public required TreeNodes Nodes { get; init; }

    /// <summary>Targets or classes.</summary>
    public required long TargetCount { get; init; }

    /// <summary>Weight entries: leaf (row of the node table), target, weight.</summary>
    public required IReadOnlyList<(int Leaf, long Target, float Weight)> Weights { get; init; }

    /// <summary>One per target, or one, or none.</summary>
    public required ReadOnlyMemory<float> BaseValues { get; init; }

    /// <summary>SUM, AVERAGE, MIN or MAX.</summary>
    public required string Aggregate { get; init; }

    /// <summary>NONE, LOGISTIC, SOFTMAX, SOFTMAX_ZERO or PROBIT.</summary>
    public required string PostTransform { get; init; }

    /// <summary>Whether the weights are given in double precision, which the file's reader rounds and ONNX Runtime does not.</summary>
    public required bool IsDouble { get; init; }

    internal static bool IsTreeOperator(OnnxNode node) =>
        string.Equals(node.Domain, OnnxOperators.MachineLearning, StringComparison.Ordinal)
        && node.Operator is "TreeEnsembleRegressor" or "TreeEnsembleClassifier" or "TreeEnsemble";

    /// <summary>Decodes a tree operator.</summary>
    /// <param name="node">The operator.</param>
    /// <param name="featureCount">Columns of its input, or -1 when the graph does not say.</param>
    /// <param name="fault">The first fault, where the answer is null.</param>
    internal static OnnxTreeTable? Read(OnnxNode node, long featureCount, out OnnxFault fault)
    {
        try
        {
            OnnxTreeTable table = string.Equals(node.Operator, "TreeEnsemble", StringComparison.Ordinal)
                ? new OnnxTreeTableReader(node).ReadFifth()
                : new OnnxTreeTableReader(node).ReadFirst();
            int columns = (int)Math.Min(featureCount > 0 ? featureCount : Highest(table.Nodes.Features.Span) + 1L, int.MaxValue >> 8);
            table = table with { Nodes = table.Nodes with { FeatureCount = columns } };
            if (TreeStructure.FindFault(table.Nodes) is { } found)
            {
                throw new OnnxTreeTableReader.Refusal($"tree {found.Tree}, node {found.Node}", found.What);
            }

            OnnxTreeTableReader.CheckWeights(table);
            fault = default;
            return table;
        }
        catch (OnnxTreeTableReader.Refusal refusal)
        {
            fault = new OnnxFault($"{node.Operator}, {refusal.Where}", refusal.Message);
            return null;
        }
    }

    private static int Highest(ReadOnlySpan<int> features)
    {
        int highest = 0;
        foreach (int feature in features)
            highest = Math.Max(highest, feature);
        return highest;
    }
}
