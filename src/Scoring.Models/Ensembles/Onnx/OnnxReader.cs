using System.Runtime.InteropServices;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Decodes ONNX bytes into an <see cref="OnnxModel"/>, or says what is wrong and at which byte.</summary>
/// <remarks>
/// Stricter than protobuf on purpose. A field that we do not know, or a single field that stands twice (protobuf would merge
/// the two), is refused: what is checked and what another reader would see must be the same thing. Time is linear in the file,
/// memory at most <see cref="DecodedBytesMax"/> above it, nesting is bounded by the grammar.
/// Fields as in onnx.proto of ONNX 1.19.
/// </remarks>
public static class OnnxReader
{
    /// <summary>Largest file taken: 64 MiB.</summary>
    public const int FileBytesMax = 64 << 20;

    /// <summary>Most memory that the decoded form may take beside the file itself: 512 MiB.</summary>
    public const long DecodedBytesMax = 512L << 20;

    private const int TypeDepthMax = 4;

    /// <summary>Decodes a file. Never throws on its content.</summary>
    /// <param name="file">The bytes; the model keeps slices of them, so they must not change afterwards.</param>
    /// <param name="fault">The first thing that is wrong, where the answer is null.</param>
    public static OnnxModel? Read(ReadOnlyMemory<byte> file, out OnnxFault fault)
    {
        fault = default;
        if (file.IsEmpty)
        {
            fault = new OnnxFault("byte 0", "the file is empty");
            return null;
        }

        if (file.Length > FileBytesMax)
        {
            fault = new OnnxFault("byte 0", $"the file has {file.Length} bytes, more than {FileBytesMax >> 20} MiB");
            return null;
        }

        var reader = new WireReader(file, DecodedBytesMax, "ModelProto");
        OnnxModel? model = ReadModel(ref reader);
        if (reader.Fault is { } found)
            (model, fault) = (null, found);
        return model;
    }

    private static OnnxModel? ReadModel(ref WireReader reader)
    {
        ulong seen = 0;
        long irVersion = 0;
        string producer = "", producerVersion = "";
        OnnxGraph? graph = null;
        List<OnnxOperatorSet> operatorSets = [];
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    irVersion = reader.ReadInteger();
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    producer = reader.ReadText();
                    break;
                case 3:
                    Once(ref reader, ref seen);
                    producerVersion = reader.ReadText();
                    break;
                case 4 or 5 or 6 or 14:
                    reader.Skip();
                    break; // domain, version, doc, metadata
                case 7:
                    Once(ref reader, ref seen);
                    graph = ReadGraph(ref reader);
                    break;
                case 8:
                    reader.Add(operatorSets, ReadOperatorSet(ref reader));
                    break;
                case 20:
                    reader.Refuse("the file holds training steps: a package is for scoring only");
                    break;
                case 25:
                    reader.Refuse("the file defines functions of its own: export it with them expanded");
                    break;
                case 26:
                    reader.Refuse("the file asks for devices of its own");
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        if (graph is null)
            reader.Refuse("no graph in the file: not an ONNX model");
        if (reader.Fault is not null)
            return null;
        return new OnnxModel
        {
            IrVersion = irVersion,
            ProducerName = producer,
            ProducerVersion = producerVersion,
            OperatorSets = operatorSets,
            Graph = graph!,
        };
    }

    private static OnnxOperatorSet ReadOperatorSet(ref WireReader reader)
    {
        ulong seen = 0;
        string domain = "";
        long version = 0;
        WireReader.Outer outer = reader.Enter("OperatorSetIdProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    domain = reader.ReadText();
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    version = reader.ReadInteger();
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        return new OnnxOperatorSet(domain, version);
    }

    private static OnnxGraph ReadGraph(ref WireReader reader)
    {
        ulong seen = 0;
        string name = "";
        List<OnnxNode> nodes = [];
        List<OnnxTensor> initializers = [];
        List<OnnxValue> inputs = [], outputs = [];
        WireReader.Outer outer = reader.Enter("GraphProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.Add(nodes, ReadNode(ref reader));
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    name = reader.ReadText();
                    break;
                case 5:
                    reader.Add(initializers, ReadTensor(ref reader));
                    break;
                case 10 or 13 or 14 or 16:
                    reader.Skip();
                    break; // doc, inner value types, quantization notes, metadata
                case 11:
                    reader.Add(inputs, ReadValue(ref reader));
                    break;
                case 12:
                    reader.Add(outputs, ReadValue(ref reader));
                    break;
                case 15:
                    reader.Refuse("sparse initializers are not taken: export them dense");
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        return new OnnxGraph { Name = name, Nodes = nodes, Initializers = initializers, Inputs = inputs, Outputs = outputs };
    }

    private static OnnxNode ReadNode(ref WireReader reader)
    {
        ulong seen = 0;
        string type = "", domain = "", name = "";
        List<string> inputs = [], outputs = [];
        List<OnnxSetting> attributes = [];
        WireReader.Outer outer = reader.Enter("NodeProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.Add(inputs, reader.ReadText());
                    break;
                case 2:
                    reader.Add(outputs, reader.ReadText());
                    break;
                case 3:
                    Once(ref reader, ref seen);
                    name = reader.ReadText();
                    break;
                case 4:
                    Once(ref reader, ref seen);
                    type = reader.ReadText();
                    break;
                case 5:
                    reader.Add(attributes, ReadAttribute(ref reader));
                    break;
                case 6 or 9:
                    reader.Skip();
                    break; // doc, metadata
                case 7:
                    Once(ref reader, ref seen);
                    domain = reader.ReadText();
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        return new OnnxNode { Operator = type, Domain = domain, Name = name, Inputs = inputs, Outputs = outputs, Settings = attributes };
    }

    private static OnnxSetting ReadAttribute(ref WireReader reader)
    {
        ulong seen = 0;
        string name = "", text = "";
        var kind = OnnxSettingKind.Undefined;
        float single = 0;
        long integer = 0;
        OnnxTensor? tensor = null;
        List<float> floats = [];
        List<long> integers = [];
        List<string> texts = [];
        WireReader.Outer outer = reader.Enter("AttributeProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    name = reader.ReadText();
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    single = reader.ReadFloat();
                    break;
                case 3:
                    Once(ref reader, ref seen);
                    integer = reader.ReadInteger();
                    break;
                case 4:
                    Once(ref reader, ref seen);
                    text = reader.ReadText();
                    break;
                case 5:
                    Once(ref reader, ref seen);
                    tensor = ReadTensor(ref reader);
                    break;
                case 6 or 11:
                    reader.Refuse($"attribute '{name}' holds a graph: operators with a body (If, Loop, Scan) are not taken");
                    break;
                case 7:
                    reader.ReadFloats(floats);
                    break;
                case 8:
                    reader.ReadIntegers(integers);
                    break;
                case 9:
                    reader.Add(texts, reader.ReadText());
                    break;
                case 13:
                    reader.Skip();
                    break; // doc
                case 20:
                    Once(ref reader, ref seen);
                    kind = ReadKind(ref reader, name);
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        return new OnnxSetting
        {
            Name = name,
            Kind = kind,
            Float = single,
            Integer = integer,
            Text = text,
            Tensor = tensor,
            Floats = floats.ToArray(),
            Integers = integers.ToArray(),
            Texts = texts.ToArray(),
        };
    }

    private static OnnxSettingKind ReadKind(ref WireReader reader, string attributeName)
    {
        long kind = reader.ReadInteger();
        if (kind is (>= 1 and <= 4) or (>= 6 and <= 8))
            return (OnnxSettingKind)kind;
        reader.Refuse($"attribute '{attributeName}' is of type {kind}: only numbers, texts and dense tensors are taken");
        return OnnxSettingKind.Undefined;
    }

    private static OnnxTensor ReadTensor(ref WireReader reader)
    {
        ulong seen = 0;
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
                    Once(ref reader, ref seen);
                    type = reader.ReadInteger();
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
                    Once(ref reader, ref seen);
                    name = reader.ReadText();
                    break;
                case 9:
                    Once(ref reader, ref seen);
                    raw = reader.ReadBytes();
                    break;
                case 10:
                    Once(ref reader, ref seen);
                    doubles = reader.ReadBytes();
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

    private static OnnxValue ReadValue(ref WireReader reader)
    {
        ulong seen = 0;
        string name = "";
        var value = new OnnxValue { Name = "", Kind = OnnxValueKind.Undefined };
        WireReader.Outer outer = reader.Enter("ValueInfoProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    name = reader.ReadText();
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    value = ReadType(ref reader, depth: 0);
                    break;
                case 3 or 4:
                    reader.Skip();
                    break; // doc, metadata
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        return value with { Name = name };
    }

    private static OnnxValue ReadType(ref WireReader reader, int depth)
    {
        var value = new OnnxValue { Name = "", Kind = OnnxValueKind.Undefined };
        WireReader.Outer outer = reader.Enter("TypeProto");
        if (depth >= TypeDepthMax)
            reader.Refuse($"types nested deeper than {TypeDepthMax}");
        ulong seen = 0;
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    value = ReadTensorType(ref reader);
                    break;
                case 4:
                    Once(ref reader, ref seen);
                    value = ReadSequenceType(ref reader, depth);
                    break;
                case 5:
                    Once(ref reader, ref seen);
                    reader.Skip();
                    value = value with { Kind = OnnxValueKind.Other };
                    break;
                case 6:
                    reader.Skip();
                    break; // denotation
                default:
                    reader.Refuse("an input or output that is neither a dense tensor nor a sequence of maps");
                    break;
            }
        }

        reader.Leave(outer);
        return value;
    }

    private static OnnxValue ReadTensorType(ref WireReader reader)
    {
        ulong seen = 0;
        long type = 0;
        List<long>? dimensions = null;
        WireReader.Outer outer = reader.Enter("TypeProto.Tensor");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    type = reader.ReadInteger();
                    break;
                case 2:
                    Once(ref reader, ref seen);
                    dimensions = ReadShape(ref reader);
                    break;
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);
        var elementType = (OnnxElementType)(type is >= 0 and <= int.MaxValue ? type : 0);
        return new OnnxValue { Name = "", Kind = OnnxValueKind.Tensor, ElementType = elementType, Dimensions = dimensions };
    }

    private static OnnxValue ReadSequenceType(ref WireReader reader, int depth)
    {
        var element = new OnnxValue { Name = "", Kind = OnnxValueKind.Undefined };
        ulong seen = 0;
        WireReader.Outer outer = reader.Enter("TypeProto.Sequence");
        while (reader.NextField())
        {
            if (reader.Field == 1)
            {
                Once(ref reader, ref seen);
                element = ReadType(ref reader, depth + 1);
            }
            else
            {
                reader.RefuseUnknownField();
            }
        }

        reader.Leave(outer);

        // The only sequence that a scorer meets is ZipMap's; a map alone reads as Other.
        return new OnnxValue { Name = "", Kind = element.Kind == OnnxValueKind.Other ? OnnxValueKind.SequenceOfMaps : OnnxValueKind.Other };
    }

    private static List<long> ReadShape(ref WireReader reader)
    {
        List<long> dimensions = [];
        WireReader.Outer outer = reader.Enter("TensorShapeProto");
        while (reader.NextField())
        {
            if (reader.Field == 1)
                reader.Add(dimensions, ReadDimension(ref reader));
            else
                reader.RefuseUnknownField();
        }

        reader.Leave(outer);
        return dimensions;
    }

    private static long ReadDimension(ref WireReader reader)
    {
        ulong seen = 0;
        long size = -1;
        WireReader.Outer outer = reader.Enter("TensorShapeProto.Dimension");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref reader, ref seen);
                    size = reader.ReadInteger();
                    break;
                case 2 or 3:
                    reader.Skip();
                    break; // a name for an open size
                default:
                    reader.RefuseUnknownField();
                    break;
            }
        }

        reader.Leave(outer);

        // Zero is what some exporters write for "any".
        return size > 0 ? size : -1;
    }

    private static void Once(ref WireReader reader, ref ulong seen)
    {
        ulong bit = 1UL << reader.Field;
        if ((seen & bit) != 0)
            reader.Refuse($"field {reader.Field} stands twice where it may stand once");
        seen |= bit;
    }
}
