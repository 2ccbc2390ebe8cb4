using Confluent.Kafka;

namespace Scoring.Worker.Kafka;

/// <summary>A record on its way to a producer, which copies what it points to.</summary>
internal readonly ref struct OutgoingRecord
{
    /// <summary>Topic and partition: the partition of the input it answers.</summary>
    public required TopicPartition Target { get; init; }

    /// <summary>Key bytes.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>Value bytes.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>Headers in their order, or null.</summary>
    public Headers? Headers { get; init; }

    /// <summary>Time stamp; default: now.</summary>
    public Timestamp Timestamp { get; init; }

    /// <summary>False for a null key.</summary>
    public bool HasKey { get; init; }

    /// <summary>False for a null value.</summary>
    public bool HasValue { get; init; }

    /// <summary>Bytes of key and value.</summary>
    public int Length => Key.Length + Value.Length;
}
