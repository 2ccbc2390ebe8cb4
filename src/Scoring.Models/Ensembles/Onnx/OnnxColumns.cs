namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Follows the number of columns (the last dimension) through a graph, as far as it is known, and checks what depends on it.</summary>
internal sealed class OnnxColumns(OnnxGraph graph, OnnxValue input, List<OnnxFault> faults)
{
    private readonly Dictionary<string, OnnxTensor> constants = graph.Initializers.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    private readonly Dictionary<string, long> columns = new(StringComparer.Ordinal);

    internal void Check()
    {
        columns[input.Name] = input.Dimensions![^1];
        foreach (OnnxTensor tensor in graph.Initializers)
            columns[tensor.Name] = tensor.Dimensions.Count > 0 ? tensor.Dimensions[^1] : 1;
        int treeCount = 0;
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            OnnxNode node = graph.Nodes[i];
            string where = $"node {i} ({node.Operator})";
            if (OnnxTreeTable.IsTreeOperator(node))
            {
                if (node.Inputs.Count != 1)
                    faults.Add(new(where, $"{node.Inputs.Count} inputs where one is due"));
                else if (OnnxTreeTable.Read(node, Of(node.Inputs[0]), out OnnxFault fault) is not { } table)
                    faults.Add(new($"node {i}, {fault.Where}", fault.What));
                else
                    treeCount += table.Nodes.TreeCount;
            }
            else if (node.Outputs.Count > 0 && Infer(node, where) is var width && width > 0)
            {
                columns[node.Outputs[0]] = width;
            }
        }

        if (treeCount > TreeStructure.TreesMax)
            faults.Add(new("graph", $"{treeCount} trees in all, more than {TreeStructure.TreesMax}"));
    }

    private long Of(string name) => columns.GetValueOrDefault(name, -1);

    private long Infer(OnnxNode node, string where)
    {
        if (OnnxOperators.KeepsColumns(node.Operator))
            return node.Inputs.Count > 0 ? Of(node.Inputs[0]) : -1;
        if (OnnxOperators.Stretches(node.Operator) && node.Inputs.Count == 2)
            return Stretch(node, where);
        return node.Operator switch
        {
            "MatMul" when node.Inputs.Count == 2 => Multiply(node, where, transposed: false),
            "Gemm" when node.Inputs.Count >= 2 && node.Integer("transA", 0) == 0 => Multiply(node, where, node.Integer("transB", 0) != 0),
            "Gather" when node.Integer("axis", 0) == 1 && node.Inputs.Count == 2 => Gather(node, where),
            _ => -1,
        };
    }

    private long Stretch(OnnxNode node, string where)
    {
        long left = Of(node.Inputs[0]), right = Of(node.Inputs[1]);
        if (left < 0 || right < 0)
            return -1;
        if (left != right && left != 1 && right != 1)
            faults.Add(new(where, $"'{node.Inputs[0]}' has {left} columns and '{node.Inputs[1]}' {right}: they do not fit"));
        return Math.Max(left, right);
    }

    private long Multiply(OnnxNode node, string where, bool transposed)
    {
        if (!constants.TryGetValue(node.Inputs[1], out OnnxTensor? matrix) || matrix.Dimensions.Count != 2)
            return -1;
        long inner = matrix.Dimensions[transposed ? 1 : 0], made = matrix.Dimensions[transposed ? 0 : 1];
        long given = Of(node.Inputs[0]);
        if (given > 0 && given != inner)
            faults.Add(new(where, $"'{node.Inputs[0]}' has {given} columns, the matrix '{matrix.Name}' takes {inner}"));
        return made;
    }

    private long Gather(OnnxNode node, string where)
    {
        if (!constants.TryGetValue(node.Inputs[1], out OnnxTensor? indices) || indices.ToIntegers() is not { } picked)
            return -1;
        long given = Of(node.Inputs[0]);
        if (given > 0 && Array.Exists(picked, column => column >= given || column < -given))
            faults.Add(new(where, $"it picks a column outside the {given} of '{node.Inputs[0]}'"));
        return picked.Length;
    }
}
