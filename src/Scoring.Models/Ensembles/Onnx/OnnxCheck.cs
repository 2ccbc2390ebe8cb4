namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Decides whether an ONNX file may be loaded: before native code sees it, in linear time and bounded memory.</summary>
/// <remarks>
/// ONNX Runtime itself dies of a deep tree, hangs on a loop and answers nonsense on NaN weights; reliability.md 6.1 S8 lists the
/// advisories. What is checked: operator sets and operators known, no text output, one float input of known width, nodes in order and
/// acyclic, weights finite, matrix sizes that fit, every tree sound.
/// </remarks>
public static class OnnxCheck
{
    /// <summary>Most values per row.</summary>
    public const int FeaturesMax = 65_536;

    private const int FaultsMax = 20;
    private const int ConstantElementsMax = 1 << 24;

    /// <summary>Checks a file. Never throws on its content.</summary>
    /// <param name="file">The bytes; they must not change afterwards.</param>
    /// <param name="faults">What is wrong, at most 20 faults; empty when the answer is not null.</param>
    /// <returns>The model when nothing is wrong, else null.</returns>
    public static CheckedOnnx? Check(ReadOnlyMemory<byte> file, out IReadOnlyList<OnnxFault> faults)
    {
        OnnxModel? model = OnnxReader.Read(file, out OnnxFault fault);
        if (model is null)
        {
            faults = [fault];
            return null;
        }

        return Check(model, out faults);
    }

    /// <summary>The same for a model that is decoded, or made, already.</summary>
    public static CheckedOnnx? Check(OnnxModel model, out IReadOnlyList<OnnxFault> faults)
    {
        ArgumentNullException.ThrowIfNull(model);
        List<OnnxFault> found = [];
        CheckOperatorSets(model, found);
        OnnxValue? input = CheckInput(model.Graph, found);
        CheckOperators(model, found);
        CheckOrder(model.Graph, input, found);
        CheckOutputs(model.Graph, found);
        CheckConstants(model.Graph, found);
        if (found.Count == 0)
            new OnnxColumns(model.Graph, input!, found).Check();
        faults = found.Count <= FaultsMax ? found : found[..FaultsMax];
        return found.Count == 0 ? new CheckedOnnx(model, input!) : null;
    }

    private static void CheckOperatorSets(OnnxModel model, List<OnnxFault> faults)
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (OnnxOperatorSet set in model.OperatorSets)
        {
            string where = $"operator set '{set.Domain}'";
            string domain = string.Equals(set.Domain, "ai.onnx", StringComparison.Ordinal) ? "" : set.Domain;
            long newest = domain switch { "" => OnnxOperators.CoreVersionMax, OnnxOperators.MachineLearning => OnnxOperators.MachineLearningVersionMax, _ => 0 };
            if (newest == 0)
                faults.Add(new(where, "its operators are not part of ONNX: only ai.onnx and ai.onnx.ml are taken"));
            else if (set.Version < 1 || set.Version > newest)
                faults.Add(new(where, $"version {set.Version} is not known; up to {newest} is"));
            else if (!versions.TryAdd(domain, set.Version) && versions[domain] != set.Version)
                faults.Add(new(where, "it stands twice with different versions"));
        }

        foreach (string domain in model.Graph.Nodes.Select(node => node.Domain).Distinct(StringComparer.Ordinal))
        {
            if (!versions.ContainsKey(domain))
                faults.Add(new("operator sets", $"the graph uses operators of '{domain}' and names no version of it that is known"));
        }
    }

    private static OnnxValue? CheckInput(OnnxGraph graph, List<OnnxFault> faults)
    {
        var constants = graph.Initializers.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        OnnxValue[] inputs = [.. graph.Inputs.Where(value => !constants.Contains(value.Name))];
        if (inputs.Length != 1)
        {
            faults.Add(new("graph inputs", $"{inputs.Length} inputs ({string.Join(", ", inputs.Take(4).Select(value => value.Name))}); a scorer has one: the features"));
            return null;
        }

        OnnxValue input = inputs[0];
        string where = $"input '{input.Name}'";
        if (input.Kind != OnnxValueKind.Tensor || input.ElementType != OnnxElementType.Float)
            faults.Add(new(where, "it is not a float32 tensor: export with one float input [N, features]"));
        else if (input.Dimensions is not { Count: >= 2 } dimensions)
            faults.Add(new(where, "its shape is not [N, features]"));
        else if (dimensions[0] >= 0)
            faults.Add(new(where, $"it takes {dimensions[0]} rows only: export with an open first dimension"));
        else if (!FitsRow(dimensions))
            faults.Add(new(where, $"shape [{string.Join(", ", dimensions)}]: the features must be counted, and at most {FeaturesMax}"));
        else
            return input;
        return null;
    }

    private static bool FitsRow(IReadOnlyList<long> dimensions)
    {
        long product = 1;
        for (int i = 1; i < dimensions.Count; i++)
        {
            if (dimensions[i] is < 1 or > FeaturesMax)
                return false;
            product *= dimensions[i];
            if (product > FeaturesMax)
                return false;
        }

        return true;
    }

    private static void CheckOperators(OnnxModel model, List<OnnxFault> faults)
    {
        if (model.Graph.Nodes.Count == 0)
            faults.Add(new("graph", "it has no operators"));
        for (int i = 0; i < model.Graph.Nodes.Count && faults.Count < FaultsMax; i++)
        {
            OnnxNode node = model.Graph.Nodes[i];
            if (!OnnxOperators.Allows(node.Domain, node.Operator))
            {
                faults.Add(new($"node {i}", $"operator '{(node.Domain.Length == 0 ? "" : node.Domain + ".")}{node.Operator}' is not on the list of those that are taken"));
            }

            if (string.Equals(node.Operator, "Cast", StringComparison.Ordinal) && OnnxTensor.SizeOf((OnnxElementType)node.Integer("to", 0)) == 0)
            {
                faults.Add(new($"node {i} (Cast)", $"it casts to type {node.Integer("to", 0)}: a score is a number, not a text"));
            }
        }
    }

    // Every name is made once and before it is read.
    private static void CheckOrder(OnnxGraph graph, OnnxValue? input, List<OnnxFault> faults)
    {
        var made = new HashSet<string>(graph.Initializers.Select(tensor => tensor.Name), StringComparer.Ordinal);
        if (made.Count != graph.Initializers.Count)
            faults.Add(new("initializers", "two have the same name"));
        if (input is not null)
            made.Add(input.Name);
        var later = graph.Nodes.SelectMany(node => node.Outputs).ToHashSet(StringComparer.Ordinal);
        for (int i = 0; i < graph.Nodes.Count && faults.Count < FaultsMax; i++)
        {
            OnnxNode node = graph.Nodes[i];
            foreach (string name in node.Inputs.Where(name => name.Length > 0 && !made.Contains(name)))
            {
                if (input is null && graph.Inputs.Any(value => string.Equals(value.Name, name, StringComparison.Ordinal)))
                    continue;
                faults.Add(new($"node {i} ({node.Operator})", later.Contains(name)
                    ? $"it reads '{name}', which is made by itself or a later node: a cycle, or nodes out of order"
                    : $"it reads '{name}', which nothing makes"));
            }

            foreach (string name in node.Outputs.Where(name => name.Length > 0 && !made.Add(name)))
            {
                faults.Add(new($"node {i} ({node.Operator})", $"it makes '{name}', which exists already"));
            }
        }

        foreach (OnnxValue output in graph.Outputs.Where(output => !made.Contains(output.Name)))
        {
            faults.Add(new($"output '{output.Name}'", "no node makes it"));
        }
    }

    private static void CheckOutputs(OnnxGraph graph, List<OnnxFault> faults)
    {
        if (graph.Outputs.Count is 0 or > 16)
            faults.Add(new("graph outputs", $"{graph.Outputs.Count} outputs; 1 to 16 are taken"));
        foreach (OnnxValue output in graph.Outputs)
        {
            if (output.ElementType == OnnxElementType.Text || output.Kind is OnnxValueKind.Other)
                faults.Add(new($"output '{output.Name}'", "it is not made of numbers"));
        }
    }

    private static void CheckConstants(OnnxGraph graph, List<OnnxFault> faults)
    {
        foreach (OnnxTensor tensor in graph.Initializers)
            CheckFinite($"initializer '{tensor.Name}'", tensor, faults);
        for (int i = 0; i < graph.Nodes.Count && faults.Count < FaultsMax; i++)
        {
            OnnxNode node = graph.Nodes[i];
            foreach (OnnxSetting setting in node.Settings)
            {
                string where = $"node {i} ({node.Operator}), {setting.Name}";
                bool tree = OnnxTreeTable.IsTreeOperator(node); // its thresholds may be infinite; checked with the trees
                if (setting.Tensor is { } tensor && !tree)
                    CheckFinite(where, tensor, faults);
                if (!tree && setting.Floats.Span.HoldsNotFinite())
                    faults.Add(new(where, "a value is NaN or infinite"));
            }

            // The one operator that makes much of little: its constant shape is bounded here, a computed one follows the rows.
            if (string.Equals(node.Operator, "ConstantOfShape", StringComparison.Ordinal) && node.Inputs.Count > 0
                && graph.Initializers.FirstOrDefault(tensor => string.Equals(tensor.Name, node.Inputs[0], StringComparison.Ordinal)) is { } shape
                && (shape.ToIntegers() ?? []).Aggregate(1.0, (product, size) => product * size) > ConstantElementsMax)
            {
                faults.Add(new($"node {i} (ConstantOfShape)", $"it makes more than {ConstantElementsMax} elements"));
            }
        }
    }

    private static void CheckFinite(string where, OnnxTensor tensor, List<OnnxFault> faults)
    {
        if (tensor.ToFloats() is not { } values)
            return;
        int index = Array.FindIndex(values, value => !float.IsFinite(value));
        if (index >= 0)
            faults.Add(new(where, $"value {index} of {values.Length} is {values[index]}, not a finite number"));
    }

    private static bool HoldsNotFinite(this ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                return true;
        }

        return false;
    }
}
