using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Decodes a TensorProto: its numbers, however they are written, in their raw form; refused when they are not as many as its dimensions say.</summary>
internal static class OnnxTensorReader
{
    internal static OnnxTensor Read(ref WireReader reader)
    {
        string name = "";
        long type = 0;
        ReadOnlyMemory<byte>? raw = null;
        List<long> dimensions = [], integers = [];
        List<float> floats = [];
        ReadOnlyMemory<byte> doubles = default;
        WireReader.Outer outer = reader.Enter("TensorProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.ReadIntegers(dimensions);
                    break;
                case 2:
                    type = reader.ReadIntegerOnce();
                    break;
                case 4:
                    reader.ReadFloats(floats);
                    break;
                case 5 or 7:
                    reader.ReadIntegers(integers);
                    break;
                case 6:
                    reader.Refuse("a tensor of texts: a score is made of numbers");
                    break;
                case 8:
                    name = reader.ReadTextOnce();
                    break;
                case 9:
                    raw = reader.ReadBytesOnce();
                    break;
                case 10:
                    doubles = reader.ReadBytesOnce();
                    break; // always packed
                case 12 or 16:
                    reader.Skip();
                    break; // doc, metadata
                case 13:
                    reader.Refuse($"tensor '{name}' lies outside the file (external_data): a package carries its own numbers");
                    break;
                case 14:
                    if (reader.ReadInteger() != 0)
                        reader.Refuse($"tensor '{name}' lies outside the file (data_location): a package carries its own numbers");
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        var elementType = (OnnxElementType)(type is >= 0 and <= int.MaxValue ? type : 0);
        ReadOnlyMemory<byte> bytes = raw ?? (doubles.IsEmpty ? BytesOf(elementType, floats, integers) : doubles);
        if (reader.Fault is null)
            CheckLength(ref reader, name, elementType, dimensions, bytes.Length);
        reader.Leave(outer);
        return new OnnxTensor { Name = name, ElementType = elementType, Dimensions = dimensions, Bytes = bytes };
    }

    private static void CheckLength(ref WireReader reader, string name, OnnxElementType type, List<long> dimensions, int bytesHeld)
    {
        int size = OnnxTensor.SizeOf(type);
        if (size == 0)
        {
            reader.Refuse($"tensor '{name}' has elements of type {(int)type}, which is not taken");
            return;
        }

        UInt128 bytesDue = (UInt128)size;
        foreach (long dimension in dimensions)
        {
            if (dimension < 0)
            {
                reader.Refuse($"tensor '{name}' has a dimension of {dimension}");
                return;
            }

            // Two 64-bit factors fit; held below 2^64 at each step, so that the next product fits too.
            bytesDue *= (UInt128)dimension;
            if (bytesDue > ulong.MaxValue)
                bytesDue = ulong.MaxValue;
        }

        if (bytesDue != (UInt128)bytesHeld)
        {
            reader.Refuse($"tensor '{name}' has dimensions [{string.Join(", ", dimensions)}], which need {bytesDue} bytes, and holds {bytesHeld}");
        }
    }

    // Elements given as numbers instead of raw bytes: bring them into the raw form, so that there is one.
    private static ReadOnlyMemory<byte> BytesOf(OnnxElementType type, List<float> floats, List<long> integers)
    {
        if (floats.Count > 0)
            return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(floats)).ToArray();
        if (integers.Count == 0)
            return default;
        int size = OnnxTensor.SizeOf(type);
        var bytes = new byte[integers.Count * (long)size];
        for (int i = 0; i < integers.Count; i++)
        {
            for (int b = 0; b < size; b++)
                bytes[(i * size) + b] = (byte)(integers[i] >> (8 * b));
        }

        return bytes;
    }
}
