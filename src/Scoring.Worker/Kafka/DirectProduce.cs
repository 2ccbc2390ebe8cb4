using System.Buffers;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Confluent.Kafka;

namespace Scoring.Worker.Kafka;

/// <summary>Hands records to librdkafka without Confluent.Kafka in between, which marshals every header on its own: a score has six.</summary>
/// <remarks>
/// One call for a record, nothing allocated by .NET. Only for a producer that reports no deliveries: the reports belong to Confluent.Kafka. The client of a producer is an
/// internal property there; where a later version names it otherwise, <see cref="Of"/> finds none and records go the usual way.
/// <c>rd_kafka_produceva</c> and <c>rd_kafka_outq_len</c> of <c>rdkafka.h</c>, librdkafka 2.16.
/// </remarks>
internal sealed unsafe partial class DirectProduce
{
    private const int HeadersMax = 12;
    private const int ScratchBytes = 4_096;

    private readonly nint client;
    private readonly Dictionary<string, byte[]> topics = new(StringComparer.Ordinal);

    static DirectProduce() => LoadedLibrdkafka.Bind();

    private DirectProduce(nint client) => this.client = client;

    private enum Kind
    {
        Topic = 1,
        Partition = 3,
        Value = 4,
        Key = 5,
        Flags = 7,
        Timestamp = 8,
        Header = 9,
    }

    /// <summary>Records that wait to be sent or to be acknowledged.</summary>
    public int Waiting => WaitingIn(client);

    /// <summary>The direct way to a producer's client; null where there is none.</summary>
    public static DirectProduce? Of(IProducer<byte[], byte[]> producer) =>
        typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(producer.Handle) is SafeHandle handle
            ? new DirectProduce(handle.DangerousGetHandle())
            : null;

    /// <summary>Produces a record, whose bytes are copied before this returns.</summary>
    /// <param name="record">The record.</param>
    /// <returns>False for a record with more headers than are usual: it is to go the usual way.</returns>
    /// <exception cref="ProduceException{TKey,TValue}">The client does not take it.</exception>
    [SkipLocalsInit]
    public bool TryProduce(OutgoingRecord record)
    {
        int count = record.Headers?.Count ?? 0;
        if (count > HeadersMax)
        {
            return false;
        }

        Span<byte> scratch = stackalloc byte[ScratchBytes];
        var arguments = stackalloc Argument[6 + HeadersMax];
        fixed (byte* topic = Topic(record.Target.Topic), key = record.Key, value = record.Value, text = scratch)
        {
            arguments[0] = new Argument { Kind = Kind.Topic, First = (nint)topic };
            arguments[1] = new Argument { Kind = Kind.Partition, First = record.Target.Partition.Value };
            arguments[2] = new Argument { Kind = Kind.Key, First = record.HasKey ? (nint)(record.Key.IsEmpty ? text : key) : 0, Second = record.Key.Length }; // No bytes are not no key.
            arguments[3] = new Argument { Kind = Kind.Value, First = record.HasValue ? (nint)(record.Value.IsEmpty ? text : value) : 0, Second = record.Value.Length };
            arguments[4] = new Argument { Kind = Kind.Flags, First = 2 }; // RD_KAFKA_MSG_F_COPY
            arguments[5] = new Argument { Kind = Kind.Timestamp, First = (nint)record.Timestamp.UnixTimestampMs };
            int used = 0;
            for (int i = 0; i < count; i++)
            {
                var header = record.Headers![i];
                if (header.GetValueBytes() is not { } bytes || !TryCopy(header.Key, bytes, scratch[used..], out int nameBytes))
                {
                    return false;
                }

                arguments[6 + i] = new Argument { Kind = Kind.Header, First = (nint)(text + used), Second = (nint)(text + used + nameBytes), Third = bytes.Length };
                used += nameBytes + bytes.Length;
            }

            nint error = Produce(client, arguments, 6 + count);
            if (error != 0)
            {
                throw Refused(error, record.Target);
            }
        }

        return true;
    }

    /// <summary>Writes a name as C wants it, and its value behind it.</summary>
    private static bool TryCopy(string name, byte[] value, Span<byte> destination, out int nameBytes)
    {
        bool fits = Utf8.FromUtf16(name, destination, out _, out nameBytes) == OperationStatus.Done && nameBytes + 1 + value.Length <= destination.Length;
        if (fits)
        {
            destination[nameBytes++] = 0;
            value.CopyTo(destination[nameBytes..]);
        }

        return fits;
    }

    private byte[] Topic(string name)
    {
        if (!topics.TryGetValue(name, out byte[]? bytes))
        {
            bytes = Encoding.UTF8.GetBytes(name + '\0');
            topics.Add(name, bytes);
        }

        return bytes;
    }

    private ProduceException<byte[], byte[]> Refused(nint error, TopicPartition target)
    {
        var code = (ErrorCode)CodeOf(error);
        string reason = Marshal.PtrToStringUTF8(TextOf(error)) ?? "";
        Destroy(error);
        bool isFatal = code == ErrorCode.Local_Fatal;
        if (isFatal)
        {
            // The error says only that the client is dead: of what, it says here.
            Span<byte> text = stackalloc byte[512];
            fixed (byte* start = text)
            {
                code = (ErrorCode)FatalError(client, start, text.Length);
                reason = Marshal.PtrToStringUTF8((nint)start) ?? "";
            }
        }

        return new ProduceException<byte[], byte[]>(new Error(code, reason, isFatal), new DeliveryResult<byte[], byte[]> { TopicPartitionOffset = new TopicPartitionOffset(target, Offset.Unset) });
    }

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_produceva")]
    private static partial nint Produce(nint client, Argument* arguments, nint count);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_outq_len")]
    private static partial int WaitingIn(nint client);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_error_code")]
    private static partial int CodeOf(nint error);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_error_string")]
    private static partial nint TextOf(nint error);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_error_destroy")]
    private static partial void Destroy(nint error);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_fatal_error")]
    private static partial int FatalError(nint client, byte* text, nint size);

    /// <summary><c>rd_kafka_vu_t</c>: a kind, and a union of 64 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct Argument
    {
        [FieldOffset(0)]
        public Kind Kind;

        [FieldOffset(8)]
        public nint First;

        [FieldOffset(16)]
        public nint Second;

        [FieldOffset(24)]
        public nint Third;
    }
}
