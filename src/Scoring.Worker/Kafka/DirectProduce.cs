using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace Scoring.Worker.Kafka;

/// <summary>Hands records to librdkafka without Confluent.Kafka in between, which marshals every header on its own (a score has six) and reports each delivery in objects of its own.</summary>
/// <remarks>
/// One call for a record, nothing allocated by .NET; reports come by the batch, from the client's queue (<see cref="TakeReports"/>). Who takes them here must not have Confluent.Kafka poll the producer
/// too, nor produce through it. The client of a producer is an internal property there; where a later version names it otherwise, <see cref="Of"/> finds none and records go the usual way.
/// <c>rd_kafka_produceva</c>, <c>rd_kafka_outq_len</c> and <c>rd_kafka_queue_poll</c> of <c>rdkafka.h</c>, librdkafka 2.16.
/// </remarks>
internal sealed unsafe partial class DirectProduce : IDisposable
{
    private const int HeadersUsual = 12;
    private const int ScratchBytes = 4_096;
    private const int ReportsAtOnce = 256;
    private const int DeliveryEvent = 1;
    private const int ErrorEvent = 8;

    private readonly nint client;
    private readonly Dictionary<string, byte[]> topics = new(StringComparer.Ordinal);
    private nint reports;

    static DirectProduce() => LoadedLibrdkafka.Bind();

    private DirectProduce(nint client) => this.client = client;

    private enum Kind
    {
        Topic = 1,
        Partition = 3,
        Value = 4,
        Key = 5,
        Opaque = 6,
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
    /// <param name="tag">Comes back with its report. Only for a producer whose reports are taken here: Confluent.Kafka would take it for an address.</param>
    /// <exception cref="ProduceException{TKey,TValue}">The client does not take it.</exception>
    [SkipLocalsInit]
    public void Produce(OutgoingRecord record, int tag = 0)
    {
        int count = record.Headers?.Count ?? 0, length = LengthOf(record.Headers);
        Span<byte> scratch = length <= ScratchBytes ? stackalloc byte[ScratchBytes] : new byte[length]; // Dead letters carry what came with the record they refuse.
        Span<Argument> arguments = count <= HeadersUsual ? stackalloc Argument[7 + HeadersUsual] : new Argument[7 + count];
        fixed (byte* topic = Topic(record.Target.Topic), key = record.Key, value = record.Value, text = scratch)
        fixed (Argument* first = arguments)
        {
            first[0] = new Argument { Kind = Kind.Topic, First = (nint)topic };
            first[1] = new Argument { Kind = Kind.Partition, First = record.Target.Partition.Value };
            first[2] = new Argument { Kind = Kind.Key, First = record.HasKey ? (nint)(record.Key.IsEmpty ? text : key) : 0, Second = record.Key.Length }; // No bytes are not no key.
            first[3] = new Argument { Kind = Kind.Value, First = record.HasValue ? (nint)(record.Value.IsEmpty ? text : value) : 0, Second = record.Value.Length };
            first[4] = new Argument { Kind = Kind.Flags, First = 2 }; // RD_KAFKA_MSG_F_COPY
            first[5] = new Argument { Kind = Kind.Timestamp, First = (nint)record.Timestamp.UnixTimestampMs };
            first[6] = new Argument { Kind = Kind.Opaque, First = tag };
            int used = 0;
            for (int i = 0; i < count; i++)
            {
                var header = record.Headers![i];
                byte[]? bytes = header.GetValueBytes();
                int name = used, start = used + Encoding.UTF8.GetBytes(header.Key, scratch[used..]) + 1;
                scratch[start - 1] = 0;
                bytes.CopyTo(scratch[start..]);
                used = start + (bytes?.Length ?? 0);
                first[7 + i] = new Argument { Kind = Kind.Header, First = (nint)(text + name), Second = bytes is null ? 0 : (nint)(text + start), Third = used - start };
            }

            nint error = Produce(client, first, 7 + count);
            if (error != 0)
            {
                throw Refused(error, record.Target);
            }
        }
    }

    /// <summary>Takes what the client reports of deliveries, and its errors.</summary>
    /// <param name="wait">How long to wait for the first; the others are taken as they are there.</param>
    /// <param name="delivered">Gets each record's tag and the reason why it was not delivered, or <see cref="ErrorCode.NoError"/>.</param>
    /// <param name="failed">Gets what else the client tells.</param>
    public void TakeReports(TimeSpan wait, Action<int, ErrorCode> delivered, Action<Error> failed)
    {
        reports = reports == 0 ? ReportsOf(client) : reports;
        for (nint told = Poll(reports, (int)wait.TotalMilliseconds); told != 0; told = Poll(reports, 0))
        {
            switch (KindOf(told))
            {
                case DeliveryEvent:
                    Take(told, delivered);
                    break;
                case ErrorEvent:
                    failed(new Error((ErrorCode)CodeOfEvent(told), Marshal.PtrToStringUTF8(TextOfEvent(told)) ?? "", IsFatalEvent(told) != 0));
                    break;
                default: // Statistics that nobody asked for, and the like.
                    break;
            }

            DestroyEvent(told);
        }
    }

    /// <summary>Lets go of the queue of reports; the producer itself is another's.</summary>
    public void Dispose()
    {
        if (reports != 0)
        {
            DestroyQueue(reports);
            reports = 0;
        }
    }

    private static void Take(nint told, Action<int, ErrorCode> delivered)
    {
        nint* messages = stackalloc nint[ReportsAtOnce];
        nint count;
        do
        {
            count = MessagesOf(told, messages, ReportsAtOnce);
            for (nint i = 0; i < count; i++)
            {
                var message = (DeliveredMessage*)messages[i];
                delivered((int)message->Tag, (ErrorCode)message->Error);
            }
        }
        while (count == ReportsAtOnce);
    }

    private static int LengthOf(Headers? headers)
    {
        int length = 0;
        for (int i = 0; i < (headers?.Count ?? 0); i++)
        {
            length += Encoding.UTF8.GetMaxByteCount(headers![i].Key.Length) + 1 + (headers[i].GetValueBytes()?.Length ?? 0);
        }

        return length;
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

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_queue_get_main")]
    private static partial nint ReportsOf(nint client);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_queue_destroy")]
    private static partial void DestroyQueue(nint queue);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_queue_poll")]
    private static partial nint Poll(nint queue, int timeoutMs);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_type")]
    private static partial int KindOf(nint told);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_message_array")]
    private static partial nint MessagesOf(nint told, nint* messages, nint size);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_error")]
    private static partial int CodeOfEvent(nint told);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_error_string")]
    private static partial nint TextOfEvent(nint told);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_error_is_fatal")]
    private static partial int IsFatalEvent(nint told);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_event_destroy")]
    private static partial void DestroyEvent(nint told);

    /// <summary>Of <c>rd_kafka_message_t</c> what a delivery is told by.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct DeliveredMessage
    {
        [FieldOffset(0)]
        public int Error;

        [FieldOffset(64)]
        public nint Tag;
    }

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
