using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Writes an <see cref="OnnxModel"/> as ONNX bytes. The same model gives the same bytes.</summary>
public static class OnnxWriter
{
    /// <summary>The file.</summary>
    public static byte[] Write(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var to = new MessageBuffer();
        to.Integer(1, model.IrVersion);
        to.Text(2, model.ProducerName);
        to.Text(3, model.ProducerVersion);
        to.Nested(7, model.Graph, WriteGraph);
        foreach (OnnxOperatorSet set in model.OperatorSets)
        {
            to.Nested(8, set, static (message, value) =>
            {
                message.Text(1, value.Domain);
                message.Integer(2, value.Version);
            });
        }

        return to.ToArray();
    }

    private static void WriteGraph(MessageBuffer to, OnnxGraph graph)
    {
        foreach (OnnxNode node in graph.Nodes)
            to.Nested(1, node, WriteNode);
        to.Text(2, graph.Name);
        foreach (OnnxTensor tensor in graph.Initializers)
            to.Nested(5, tensor, WriteTensor);
        foreach (OnnxValue value in graph.Inputs)
            to.Nested(11, value, WriteValue);
        foreach (OnnxValue value in graph.Outputs)
            to.Nested(12, value, WriteValue);
    }

    private static void WriteNode(MessageBuffer to, OnnxNode node)
    {
        foreach (string name in node.Inputs)
            to.TextAlways(1, name);
        foreach (string name in node.Outputs)
            to.TextAlways(2, name);
        to.Text(3, node.Name);
        to.Text(4, node.Operator);
        foreach (OnnxSetting setting in node.Settings)
            to.Nested(5, setting, WriteSetting);
        to.Text(7, node.Domain);
    }

    private static void WriteSetting(MessageBuffer to, OnnxSetting setting)
    {
        to.Text(1, setting.Name);
        switch (setting.Kind)
        {
            case OnnxSettingKind.Float:
                to.Float(2, setting.Float);
                break;
            case OnnxSettingKind.Integer:
                to.Integer(3, setting.Integer);
                break;
            case OnnxSettingKind.Text:
                to.TextAlways(4, setting.Text);
                break;
            case OnnxSettingKind.Tensor:
                to.Nested(5, setting.Tensor!, WriteTensor);
                break;
            case OnnxSettingKind.Floats:
                foreach (float value in setting.Floats.Span)
                    to.Float(7, value);
                break;
            case OnnxSettingKind.Integers:
                foreach (long value in setting.Integers.Span)
                    to.Integer(8, value);
                break;
            case OnnxSettingKind.Texts:
                foreach (string value in setting.Texts.Span)
                    to.TextAlways(9, value);
                break;
            default:
                throw new NotSupportedException($"setting '{setting.Name}' has no kind");
        }

        to.Integer(20, (long)setting.Kind);
    }

    private static void WriteTensor(MessageBuffer to, OnnxTensor tensor)
    {
        foreach (long dimension in tensor.Dimensions)
            to.Integer(1, dimension);
        to.Integer(2, (long)tensor.ElementType);
        to.Text(8, tensor.Name);
        to.Bytes(9, tensor.Bytes.Span);
    }

    private static void WriteValue(MessageBuffer to, OnnxValue value)
    {
        to.Text(1, value.Name);
        if (value.Kind != OnnxValueKind.Tensor || value.ElementType == OnnxElementType.Undefined)
            return; // inferred by the reader
        to.Nested(2, value, static (type, outer) => type.Nested(1, outer, static (tensor, inner) =>
        {
            tensor.Integer(1, (long)inner.ElementType);
            if (inner.Dimensions is not null)
                tensor.Nested(2, inner.Dimensions, WriteShape);
        }));
    }

    private static void WriteShape(MessageBuffer to, IReadOnlyList<long> dimensions)
    {
        foreach (long dimension in dimensions)
        {
            to.Nested(1, dimension, static (message, size) =>
            {
                if (size > 0)
                    message.Integer(1, size);
            });
        }
    }

    /// <summary>One protobuf message; a nested one is written apart and then copied behind its length.</summary>
    private sealed class MessageBuffer
    {
        private readonly ArrayBufferWriter<byte> bytes = new();

        internal byte[] ToArray() => bytes.WrittenSpan.ToArray();

        internal void Integer(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
        }

        internal void Float(int field, float value)
        {
            Varint(((ulong)field << 3) | WireReader.Fixed32);
            BinaryPrimitives.WriteSingleLittleEndian(bytes.GetSpan(sizeof(float)), value);
            bytes.Advance(sizeof(float));
        }

        internal void Text(int field, string value)
        {
            if (value.Length > 0)
                TextAlways(field, value);
        }

        internal void TextAlways(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        internal void Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint(((ulong)field << 3) | WireReader.Length);
            Varint((ulong)value.Length);
            bytes.Write(value);
        }

        internal void Nested<T>(int field, T value, Action<MessageBuffer, T> write)
        {
            var inner = new MessageBuffer();
            write(inner, value);
            Bytes(field, inner.bytes.WrittenSpan);
        }

        private void Varint(ulong value)
        {
            Span<byte> to = bytes.GetSpan(10);
            int count = 0;
            for (; value >= 0x80; value >>= 7)
                to[count++] = (byte)(value | 0x80);
            to[count++] = (byte)value;
            bytes.Advance(count);
        }
    }
}
