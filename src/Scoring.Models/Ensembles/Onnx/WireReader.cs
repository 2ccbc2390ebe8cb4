using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>Bounded reader of the protobuf wire format.</summary>
/// <remarks>
/// Faults are sticky: after the first one every read answers "no more", so that the callers' loops end by themselves.
/// A stated length is compared with what is left of the enclosing message before anything is made of it, and all that is made
/// is paid for from one budget: no file can ask for more memory than <see cref="OnnxReader.DecodedBytesMax"/>.
/// </remarks>
internal ref struct WireReader
{
    internal const int Varint = 0;
    internal const int Fixed64 = 1;
    internal const int Length = 2;
    internal const int Fixed32 = 5;

    private readonly ReadOnlyMemory<byte> memory;
    private readonly ReadOnlySpan<byte> bytes;
    private int position;
    private int end;
    private int fieldStart;
    private long budgetBytes;
    private string message;
    private ulong seen;

    internal WireReader(ReadOnlyMemory<byte> file, long decodedBytesMax, string messageName)
    {
        memory = file;
        bytes = file.Span;
        end = bytes.Length;
        budgetBytes = decodedBytesMax;
        message = messageName;
    }

    internal OnnxFault? Fault { get; private set; }

    internal int Field { get; private set; }

    internal int WireType { get; private set; }

    /// <summary>Moves to the next field of the message; false at its end or after a fault.</summary>
    internal bool NextField()
    {
        if (Fault is not null || position >= end)
            return false;
        fieldStart = position;
        ulong tag = ReadVarint();
        if (Fault is not null)
            return false;
        ulong field = tag >> 3;
        if (field is 0 or > 536_870_911)
        {
            Refuse($"field number {field} cannot stand in a {message}: not an ONNX file, or damaged");
            return false;
        }

        Field = (int)field;
        WireType = (int)(tag & 7);
        return true;
    }

    /// <summary>Opens the nested message that the current field holds; hand the answer to <see cref="Leave"/>.</summary>
    internal Outer Enter(string messageName)
    {
        int length = ReadLength();
        var outer = new Outer(end, message, seen);
        end = position + length;
        message = messageName;
        seen = 0;
        Spend(128);
        return outer;
    }

    internal void Leave(Outer outer)
    {
        if (Fault is not null)
            return;
        position = end;
        (end, message, seen) = (outer.End, outer.Message, outer.Seen);
    }

    /// <summary>Refuses the current field where it has stood in this message before: protobuf would merge the two. For fields below 64.</summary>
    internal void ExpectOnce()
    {
        ulong bit = 1UL << Field;
        if ((seen & bit) != 0)
            Refuse($"field {Field} stands twice where it may stand once");
        seen |= bit;
    }

    internal long ReadIntegerOnce()
    {
        ExpectOnce();
        return ReadInteger();
    }

    internal float ReadFloatOnce()
    {
        ExpectOnce();
        return ReadFloat();
    }

    internal ReadOnlyMemory<byte> ReadBytesOnce()
    {
        ExpectOnce();
        return ReadBytes();
    }

    internal string ReadTextOnce()
    {
        ExpectOnce();
        return ReadText();
    }

    internal long ReadInteger() => Expect(Varint) ? (long)ReadVarint() : 0;

    internal float ReadFloat()
    {
        if (!Expect(Fixed32))
            return 0;
        ReadOnlySpan<byte> four = Take(4);
        return four.IsEmpty ? 0 : BinaryPrimitives.ReadSingleLittleEndian(four);
    }

    internal ReadOnlyMemory<byte> ReadBytes()
    {
        int length = ReadLength();
        ReadOnlyMemory<byte> slice = memory.Slice(position, length);
        position += length;
        return slice;
    }

    internal string ReadText()
    {
        ReadOnlySpan<byte> text = ReadBytes().Span;
        if (text.IsEmpty)
            return "";

        // A tree model names the mode of every node: a million times the same few words.
        if (text.SequenceEqual("BRANCH_LEQ"u8))
            return "BRANCH_LEQ";
        if (text.SequenceEqual("LEAF"u8))
            return "LEAF";
        if (!Utf8.IsValid(text))
        {
            Refuse($"a text in a {message} is not UTF-8");
            return "";
        }

        Spend(32 + (2L * text.Length));
        return Fault is null ? Encoding.UTF8.GetString(text) : "";
    }

    /// <summary>A repeated number field, packed or one by one.</summary>
    internal void ReadIntegers(List<long> into)
    {
        if (WireType == Varint)
        {
            Add(into, (long)ReadVarint());
            return;
        }

        int last = ReadLength() + position;
        while (Fault is null && position < last)
            Add(into, (long)ReadVarint());
        if (position > last)
            Refuse($"a packed list in a {message} ends inside a number");
    }

    /// <summary>A repeated float field, packed or one by one.</summary>
    internal void ReadFloats(List<float> into)
    {
        if (WireType == Fixed32)
        {
            Add(into, ReadFloat());
            return;
        }

        int length = ReadLength();
        if (length % sizeof(float) != 0)
            Refuse($"a packed list of floats has {length} bytes, not a multiple of 4");
        for (int last = position + length; Fault is null && position < last; position += sizeof(float))
        {
            Add(into, BinaryPrimitives.ReadSingleLittleEndian(bytes[position..]));
        }
    }

    internal void Add<T>(List<T> into, T value)
    {
        Spend(16); // a list doubles: at most two slots of 8 bytes per value
        if (Fault is null)
            into.Add(value);
    }

    /// <summary>Steps over the current field, whatever it holds.</summary>
    internal void Skip()
    {
        switch (WireType)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Take(8);
                break;
            case Fixed32:
                Take(4);
                break;
            case Length:
                ReadBytes();
                break;
            default:
                Refuse($"wire type {WireType} cannot stand in a {message}: not an ONNX file, or damaged");
                break;
        }
    }

    internal void RefuseUnknownField() =>
        Refuse($"field {Field} is not one of a {message} that we know, and what is not known cannot be checked");

    internal void Refuse(string what)
    {
        Fault ??= new OnnxFault($"byte {fieldStart}", what);
        position = end = 0;
    }

    private bool Expect(int wireType)
    {
        if (Fault is not null)
            return false;
        if (WireType == wireType)
            return true;
        Refuse($"field {Field} of a {message} has wire type {WireType} where {wireType} is due: not an ONNX file, or damaged");
        return false;
    }

    private int ReadLength()
    {
        if (!Expect(Length))
            return 0;
        ulong length = ReadVarint();
        if (Fault is not null)
            return 0;
        if (length <= (ulong)(end - position))
            return (int)length;
        Refuse($"field {Field} of a {message} says {length} bytes, {end - position} are left: cut short, or damaged");
        return 0;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (Fault is not null)
            return default;
        if (end - position < count)
        {
            Refuse($"field {Field} of a {message} needs {count} bytes, {end - position} are left: cut short");
            return default;
        }

        position += count;
        return bytes.Slice(position - count, count);
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70 && Fault is null; shift += 7)
        {
            if (position >= end)
            {
                Refuse($"a {message} ends inside a number: cut short");
                return 0;
            }

            byte next = bytes[position++];
            if (shift == 63 && next > 1)
                break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        Refuse($"a number in a {message} is longer than 64 bits");
        return 0;
    }

    private void Spend(long costBytes)
    {
        budgetBytes -= costBytes;
        if (budgetBytes < 0)
            Refuse($"the decoded model would need more than {OnnxReader.DecodedBytesMax >> 20} MiB");
    }

    internal readonly record struct Outer(int End, string Message, ulong Seen);
}
