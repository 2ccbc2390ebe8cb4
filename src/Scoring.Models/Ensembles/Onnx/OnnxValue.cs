namespace Scoring.Models.Ensembles.Onnx;

/// <summary>An input or output of a graph.</summary>
public sealed record OnnxValue
{
    /// <summary>Name by which nodes read or make it.</summary>
    public required string Name { get; init; }

    /// <summary>Its shape family.</summary>
    public OnnxValueKind Kind { get; init; } = OnnxValueKind.Tensor;

    /// <summary>Type of a tensor's elements.</summary>
    public OnnxElementType ElementType { get; init; }

    /// <summary>Size per dimension, -1 where it is open (the rows); null when the file does not say.</summary>
    public IReadOnlyList<long>? Dimensions { get; init; }

    /// <summary>A float32 matrix [N, <paramref name="columns"/>] with any number of rows.</summary>
    public static OnnxValue Matrix(string name, long columns) =>
        new() { Name = name, ElementType = OnnxElementType.Float, Dimensions = [-1, columns] };
}

/// <summary>What an input or output is.</summary>
public enum OnnxValueKind
{
    /// <summary>The file does not say.</summary>
    Undefined,

    /// <summary>A dense tensor.</summary>
    Tensor,

    /// <summary>A sequence of maps from class to probability: what ZipMap makes.</summary>
    SequenceOfMaps,

    /// <summary>Anything else: never taken.</summary>
    Other,
}
