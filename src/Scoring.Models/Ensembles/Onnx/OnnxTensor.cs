using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Element types; the numbers are those of TensorProto.DataType.</summary>
public enum OnnxElementType
{
    /// <summary>Not stated.</summary>
    Undefined = 0,

    /// <summary>IEEE single.</summary>
    Float = 1,

    /// <summary>Unsigned byte.</summary>
    UInt8 = 2,

    /// <summary>Signed byte.</summary>
    Int8 = 3,

    /// <summary>Signed, 32 bits.</summary>
    Int32 = 6,

    /// <summary>Signed, 64 bits.</summary>
    Int64 = 7,

    /// <summary>Text; never in a model that is taken.</summary>
    Text = 8,

    /// <summary>A byte, 0 or 1.</summary>
    Boolean = 9,

    /// <summary>IEEE half.</summary>
    Float16 = 10,

    /// <summary>IEEE double.</summary>
    Double = 11,
}

/// <summary>A constant: dimensions and its elements as little-endian bytes, row-major.</summary>
/// <remarks>The bytes are a slice of the file: nothing is copied, and a stated size that the file does not hold never allocates.</remarks>
public sealed record OnnxTensor
{
    /// <summary>Name by which nodes read it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Type of the elements.</summary>
    public required OnnxElementType ElementType { get; init; }

    /// <summary>Size per dimension; none for a scalar.</summary>
    public required IReadOnlyList<long> Dimensions { get; init; }

    /// <summary>Elements, little-endian; as long as the dimensions say.</summary>
    public required ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>Bytes per element, or 0 where the type is not taken.</summary>
    public static int SizeOf(OnnxElementType type) => type switch
    {
        OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.Boolean => 1,
        OnnxElementType.Float16 => 2,
        OnnxElementType.Float or OnnxElementType.Int32 => 4,
        OnnxElementType.Int64 or OnnxElementType.Double => 8,
        _ => 0,
    };

    /// <summary>A float32 constant.</summary>
    public static OnnxTensor Of(string name, ReadOnlySpan<float> values, params long[] dimensions) =>
        new() { Name = name, ElementType = OnnxElementType.Float, Dimensions = dimensions, Bytes = MemoryMarshal.AsBytes(values).ToArray() };

    /// <summary>An int64 constant.</summary>
    public static OnnxTensor Of(string name, ReadOnlySpan<long> values, params long[] dimensions) =>
        new() { Name = name, ElementType = OnnxElementType.Int64, Dimensions = dimensions, Bytes = MemoryMarshal.AsBytes(values).ToArray() };

    /// <summary>A double constant.</summary>
    public static OnnxTensor Of(string name, ReadOnlySpan<double> values, params long[] dimensions) =>
        new() { Name = name, ElementType = OnnxElementType.Double, Dimensions = dimensions, Bytes = MemoryMarshal.AsBytes(values).ToArray() };

    /// <summary>Elements as float32 from any floating type; null for the integer types.</summary>
    public float[]? ToFloats()
    {
        ReadOnlySpan<byte> bytes = Bytes.Span;
        switch (ElementType)
        {
            case OnnxElementType.Float:
                return Elements<float>(bytes);
            case OnnxElementType.Double:
                return Array.ConvertAll(Elements<double>(bytes), value => (float)value);
            case OnnxElementType.Float16:
                return Array.ConvertAll(Elements<Half>(bytes), value => (float)value);
            default:
                return null;
        }
    }

    /// <summary>Elements as int64 from any integer type; null for the floating types.</summary>
    public long[]? ToIntegers()
    {
        ReadOnlySpan<byte> bytes = Bytes.Span;
        return ElementType switch
        {
            OnnxElementType.Int64 => Elements<long>(bytes),
            OnnxElementType.Int32 => Array.ConvertAll(Elements<int>(bytes), value => (long)value),
            OnnxElementType.Int8 => Array.ConvertAll(Elements<sbyte>(bytes), value => (long)value),
            OnnxElementType.UInt8 or OnnxElementType.Boolean => Array.ConvertAll(Elements<byte>(bytes), value => (long)value),
            _ => null,
        };
    }

    // A slice of the file may lie at any address: copied element by element, not cast in place.
    private static T[] Elements<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged
    {
        int size = Marshal.SizeOf<T>();
        var elements = new T[bytes.Length / size];
        bytes[..(elements.Length * size)].CopyTo(MemoryMarshal.AsBytes(elements.AsSpan()));
        return elements;
    }
}
