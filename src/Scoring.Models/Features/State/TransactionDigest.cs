using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Scoring.Models.Events;

namespace Scoring.Models.Features.State;

/// <summary>Digest of what an event says: equal for an event that is repeated, in whatever order its members stand. For one thread.</summary>
/// <remarks>
/// The first 128 bits of SHA-256 over the fields in the order of the schema: with a hash that can be steered, who sends transactions could get a small
/// one's answer for a large one. Not in it: the identifier, which is the key, and <c>message_type</c>, by which a repeat says that it is one.
/// </remarks>
internal sealed class TransactionDigest
{
    private readonly (FieldKind Kind, int Column)[] columns;
    private byte[] fields = new byte[512];

    public TransactionDigest(EventSchema schema)
    {
        columns =
        [
            .. schema.Fields.Index()
                .Where(field => field.Item.Name is not (TransactionFields.TransactionId or TransactionFields.MessageType))
                .Select(field => (field.Item.Kind, schema.ColumnIndex(field.Index))),
        ];
    }

    public (long First, long Second) Of(TransactionBatch batch, int row)
    {
        int length = 0;
        foreach (var (kind, column) in columns)
        {
            switch (kind)
            {
                case FieldKind.Text:
                    var text = batch.Text(column)[row];
                    Append(ref length, text.Length);
                    Reserve(length, text.Length);
                    text.CopyTo(fields.AsSpan(length));
                    length += text.Length;
                    break;
                case FieldKind.Number:
                    Append(ref length, BitConverter.DoubleToInt64Bits(batch.Numbers(column)[row]));
                    break;
                case FieldKind.Integer:
                    Append(ref length, batch.Integers(column)[row]);
                    break;
                case FieldKind.Time:
                    Append(ref length, batch.Times(column)[row]);
                    break;
                default:
                    Append(ref length, batch.Booleans(column)[row]);
                    break;
            }
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(fields.AsSpan(0, length), digest);
        var words = MemoryMarshal.Cast<byte, long>(digest);
        return (words[0], words[1]);
    }

    private void Append(ref int length, long value)
    {
        Reserve(length, sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(fields.AsSpan(length), value);
        length += sizeof(long);
    }

    private void Reserve(int length, int count)
    {
        if (fields.Length - length < count)
        {
            Array.Resize(ref fields, Math.Max(fields.Length * 2, length + count));
        }
    }
}
