namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Decodes a ValueInfoProto: name and type of an input or output.</summary>
internal static class OnnxTypeReader
{
    private const int TypeDepthMax = 4;

    internal static OnnxValue Read(ref WireReader reader)
    {
        string name = "";
        var value = new OnnxValue { Name = "", Kind = OnnxValueKind.Undefined };
        WireReader.Outer outer = reader.Enter("ValueInfoProto");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    name = reader.ReadTextOnce();
                    break;
                case 2:
                    reader.ExpectOnce();
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
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.ExpectOnce();
                    value = ReadTensorType(ref reader);
                    break;
                case 4:
                    reader.ExpectOnce();
                    value = ReadSequenceType(ref reader, depth);
                    break;
                case 5:
                    reader.ExpectOnce();
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
        long type = 0;
        List<long>? dimensions = null;
        WireReader.Outer outer = reader.Enter("TypeProto.Tensor");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    type = reader.ReadIntegerOnce();
                    break;
                case 2:
                    reader.ExpectOnce();
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
        WireReader.Outer outer = reader.Enter("TypeProto.Sequence");
        while (reader.NextField())
        {
            if (reader.Field == 1)
            {
                reader.ExpectOnce();
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
        long size = -1;
        WireReader.Outer outer = reader.Enter("TensorShapeProto.Dimension");
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    size = reader.ReadIntegerOnce();
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
}
