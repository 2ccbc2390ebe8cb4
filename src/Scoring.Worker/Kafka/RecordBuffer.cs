using Confluent.Kafka;

namespace Scoring.Worker.Kafka;

/// <summary>Keeps the bytes of the key or value that was read last, in memory that is used again.</summary>
/// <remarks>The client's own memory is gone when <c>Consume</c> returns; a <c>byte[]</c> per record would be garbage.</remarks>
internal sealed class RecordBuffer : IDeserializer<int>
{
    private byte[] bytes = new byte[256];
    private int length;

    /// <summary>Whether the record has none.</summary>
    public bool IsNull { get; private set; } = true;

    /// <summary>The bytes; empty where the record has none.</summary>
    public ReadOnlySpan<byte> Span => bytes.AsSpan(0, length);

    /// <inheritdoc/>
    public int Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        Keep(data, isNull);
        return length;
    }

    /// <summary>Copies the bytes.</summary>
    public void Keep(ReadOnlySpan<byte> data, bool isNull)
    {
        IsNull = isNull;
        length = data.Length;
        if (length > bytes.Length)
        {
            bytes = new byte[Math.Max(length, bytes.Length * 2)];
        }

        data.CopyTo(bytes);
    }
}
