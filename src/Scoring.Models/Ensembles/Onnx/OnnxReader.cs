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
        long irVersion = 0;
        string producer = "", producerVersion = "";
        OnnxGraph? graph = null;
        List<OnnxOperatorSet> operatorSets = [];
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    irVersion = reader.ReadIntegerOnce();
                    break;
                case 2:
                    producer = reader.ReadTextOnce();
                    break;
                case 3:
                    producerVersion = reader.ReadTextOnce();
                    break;
                case 4 or 5 or 6 or 14:
                    reader.Skip();
                    break; // domain, version, doc, metadata
                case 7:
                    reader.ExpectOnce();
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
        string domain = "";
        long version = 0;
        WireReader.Outer outer = reader.Enter("OperatorSetIdProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    domain = reader.ReadTextOnce();
                    break;
                case 2:
                    version = reader.ReadIntegerOnce();
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
                    name = reader.ReadTextOnce();
                    break;
                case 5:
                    reader.Add(initializers, OnnxTensorReader.Read(ref reader));
                    break;
                case 10 or 13 or 14 or 16:
                    reader.Skip();
                    break; // doc, inner value types, quantization notes, metadata
                case 11:
                    reader.Add(inputs, OnnxTypeReader.Read(ref reader));
                    break;
                case 12:
                    reader.Add(outputs, OnnxTypeReader.Read(ref reader));
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
                    name = reader.ReadTextOnce();
                    break;
                case 4:
                    type = reader.ReadTextOnce();
                    break;
                case 5:
                    reader.Add(attributes, ReadAttribute(ref reader));
                    break;
                case 6 or 9:
                    reader.Skip();
                    break; // doc, metadata
                case 7:
                    domain = reader.ReadTextOnce();
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
                    name = reader.ReadTextOnce();
                    break;
                case 2:
                    single = reader.ReadFloatOnce();
                    break;
                case 3:
                    integer = reader.ReadIntegerOnce();
                    break;
                case 4:
                    text = reader.ReadTextOnce();
                    break;
                case 5:
                    reader.ExpectOnce();
                    tensor = OnnxTensorReader.Read(ref reader);
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
                    reader.ExpectOnce();
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
}
