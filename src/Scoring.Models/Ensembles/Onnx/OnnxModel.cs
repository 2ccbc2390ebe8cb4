namespace Scoring.Models.Ensembles.Onnx;

/// <summary>The part of an ONNX ModelProto that scoring needs, decoded. Subgraphs, functions, sparse and external tensors are never in it: the reader refuses them.</summary>
public sealed record OnnxModel
{
    /// <summary>Version of the file format itself, not of the operators.</summary>
    public long IrVersion { get; init; } = 8;

    /// <summary>Library that wrote the file, as it says itself.</summary>
    public string ProducerName { get; init; } = "";

    /// <summary>Version of that library.</summary>
    public string ProducerVersion { get; init; } = "";

    /// <summary>Operator sets that the nodes are written against.</summary>
    public required IReadOnlyList<OnnxOperatorSet> OperatorSets { get; init; }

    /// <summary>The computation.</summary>
    public required OnnxGraph Graph { get; init; }
}

/// <summary>A domain and the version of its operators.</summary>
/// <param name="Domain">Empty for ai.onnx.</param>
/// <param name="Version">From 1.</param>
public sealed record OnnxOperatorSet(string Domain, long Version);

/// <summary>Nodes in topological order, constants, inputs and outputs.</summary>
public sealed record OnnxGraph
{
    /// <summary>Free text.</summary>
    public string Name { get; init; } = "";

    /// <summary>Operators in the order in which they run.</summary>
    public required IReadOnlyList<OnnxNode> Nodes { get; init; }

    /// <summary>Constants by name.</summary>
    public IReadOnlyList<OnnxTensor> Initializers { get; init; } = [];

    /// <summary>Inputs; old writers list initializers here too.</summary>
    public required IReadOnlyList<OnnxValue> Inputs { get; init; }

    /// <summary>Outputs in the order in which ONNX Runtime returns them.</summary>
    public required IReadOnlyList<OnnxValue> Outputs { get; init; }
}

/// <summary>One operator.</summary>
public sealed record OnnxNode
{
    /// <summary>Operator, e.g. Gemm.</summary>
    public required string Operator { get; init; }

    /// <summary>Empty for ai.onnx.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Free text; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>Names of what it reads; empty for an optional input that is left out.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Names of what it makes.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>Settings.</summary>
    public IReadOnlyList<OnnxSetting> Settings { get; init; } = [];

    /// <summary>The attribute of that name, or null.</summary>
    public OnnxSetting? Find(string settingName)
    {
        foreach (OnnxSetting setting in Settings)
        {
            if (string.Equals(setting.Name, settingName, StringComparison.Ordinal))
                return setting;
        }

        return null;
    }

    /// <summary>The integer attribute of that name, or <paramref name="otherwise"/>.</summary>
    public long Integer(string settingName, long otherwise) =>
        Find(settingName) is { Kind: OnnxSettingKind.Integer } setting ? setting.Integer : otherwise;

    /// <summary>The text attribute of that name, or <paramref name="otherwise"/>.</summary>
    public string Text(string settingName, string otherwise) =>
        Find(settingName) is { Kind: OnnxSettingKind.Text } setting ? setting.Text : otherwise;
}

/// <summary>Type of an attribute; the numbers are those of AttributeProto.AttributeType.</summary>
public enum OnnxSettingKind
{
    /// <summary>Not stated.</summary>
    Undefined = 0,

    /// <summary>One float32.</summary>
    Float = 1,

    /// <summary>One int64.</summary>
    Integer = 2,

    /// <summary>One text.</summary>
    Text = 3,

    /// <summary>One tensor.</summary>
    Tensor = 4,

    /// <summary>Float32 values.</summary>
    Floats = 6,

    /// <summary>Int64 values.</summary>
    Integers = 7,

    /// <summary>Texts.</summary>
    Texts = 8,
}

/// <summary>A named setting of a node. Only the member that <see cref="Kind"/> names has a meaning.</summary>
public sealed record OnnxSetting
{
    /// <summary>As in the operator's specification.</summary>
    public required string Name { get; init; }

    /// <summary>Which member holds the value.</summary>
    public required OnnxSettingKind Kind { get; init; }

    /// <summary>Value of kind Float.</summary>
    public float Float { get; init; }

    /// <summary>Value of kind Integer.</summary>
    public long Integer { get; init; }

    /// <summary>Value of kind Text.</summary>
    public string Text { get; init; } = "";

    /// <summary>Value of kind Tensor.</summary>
    public OnnxTensor? Tensor { get; init; }

    /// <summary>Value of kind Floats.</summary>
    public ReadOnlyMemory<float> Floats { get; init; }

    /// <summary>Value of kind Integers.</summary>
    public ReadOnlyMemory<long> Integers { get; init; }

    /// <summary>Value of kind Texts.</summary>
    public ReadOnlyMemory<string> Texts { get; init; }

    /// <summary>A float32 setting.</summary>
    public static OnnxSetting Of(string name, float value) => new() { Name = name, Kind = OnnxSettingKind.Float, Float = value };

    /// <summary>An int64 setting.</summary>
    public static OnnxSetting Of(string name, long value) => new() { Name = name, Kind = OnnxSettingKind.Integer, Integer = value };

    /// <summary>A text setting.</summary>
    public static OnnxSetting Of(string name, string value) => new() { Name = name, Kind = OnnxSettingKind.Text, Text = value };

    /// <summary>A tensor setting.</summary>
    public static OnnxSetting Of(string name, OnnxTensor value) => new() { Name = name, Kind = OnnxSettingKind.Tensor, Tensor = value };

    /// <summary>A list of float32.</summary>
    public static OnnxSetting Of(string name, float[] values) => new() { Name = name, Kind = OnnxSettingKind.Floats, Floats = values };

    /// <summary>A list of int64.</summary>
    public static OnnxSetting Of(string name, long[] values) => new() { Name = name, Kind = OnnxSettingKind.Integers, Integers = values };

    /// <summary>A list of texts.</summary>
    public static OnnxSetting Of(string name, string[] values) => new() { Name = name, Kind = OnnxSettingKind.Texts, Texts = values };
}
