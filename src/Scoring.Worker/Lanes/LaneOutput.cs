using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>A lane's producer: records go to a stated partition, and only so many are on their way at once.</summary>
internal abstract class LaneOutput : IDisposable
{
    /// <summary>Most bytes on their way before no more input is taken: far below what the producer itself would refuse.</summary>
    protected const long BytesMax = 256L << 20;

    private const int PooledLengthMax = 16_384;

    private static readonly TimeSpan QueueFullMax = TimeSpan.FromSeconds(30);

    private readonly Message<byte[], byte[]> message = new();
    private readonly ExactBuffers keys = new(PooledLengthMax);
    private readonly ExactBuffers values = new(PooledLengthMax);

    /// <summary>Prepares the reused message.</summary>
    /// <param name="inFlightMax">Most records on their way.</param>
    /// <param name="clock">Measures waits.</param>
    protected LaneOutput(int inFlightMax, TimeProvider clock)
    {
        InFlightMax = inFlightMax;
        Clock = clock;
    }

    /// <summary>Records whose fate is not known yet.</summary>
    public abstract int InFlight { get; }

    /// <summary>Whether more input may be taken.</summary>
    public abstract bool HasRoom { get; }

    /// <summary>Whether records can be handed over now.</summary>
    public abstract bool TakesRecords { get; }

    /// <summary>Most records on their way.</summary>
    protected int InFlightMax { get; }

    /// <summary>Measures waits.</summary>
    protected TimeProvider Clock { get; }

    /// <summary>Serves what the producer has to tell.</summary>
    /// <exception cref="LaneFailure">The broker refused a record for good.</exception>
    public abstract void Poll(TimeSpan wait);

    /// <summary>Hands a record to the producer, which copies it before it returns.</summary>
    /// <param name="target">Topic and partition: the partition of the input it answers.</param>
    /// <param name="key">Key bytes.</param>
    /// <param name="value">Value bytes.</param>
    /// <param name="headers">Headers, or none.</param>
    /// <param name="timestamp">Time stamp; default: now.</param>
    /// <param name="hasKey">False for a null key.</param>
    /// <param name="hasValue">False for a null value.</param>
    /// <exception cref="LaneFailure">The producer cannot take it.</exception>
    /// <exception cref="TransactionBroken">The transaction it belongs to cannot be completed.</exception>
    public void Produce(TopicPartition target, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Headers? headers = null, Timestamp timestamp = default, bool hasKey = true, bool hasValue = true)
    {
        var record = new OutgoingRecord { Target = target, Key = key, Value = value, Headers = headers, Timestamp = timestamp, HasKey = hasKey, HasValue = hasValue };
        long fullSince = 0;
        while (true)
        {
            try
            {
                Hand(record);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                // Input stops long before; what a batch in hand still publishes may come here.
                fullSince = fullSince == 0 ? Clock.GetTimestamp() : fullSince;
                if (Clock.GetElapsedTime(fullSince) > QueueFullMax)
                {
                    throw new LaneFailure(ExitCode.Unavailable, $"the producer's queue has been full for {QueueFullMax.TotalSeconds:0} s: the broker takes nothing for {target.Topic}", full);
                }

                MakeRoom();
            }
            catch (ProduceException<byte[], byte[]> refused)
            {
                throw Refused(target, refused);
            }
        }
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Gives a record to the client.</summary>
    protected abstract void Hand(OutgoingRecord record);

    /// <summary>Waits a moment while the client's queue is full.</summary>
    protected virtual void MakeRoom() => Poll(TimeSpan.FromMilliseconds(10));

    /// <summary>The record as Confluent.Kafka takes it; valid until the next.</summary>
    protected Message<byte[], byte[]> AsMessage(OutgoingRecord record)
    {
        message.Key = record.HasKey ? keys.Copy(record.Key) : null!;
        message.Value = record.HasValue ? values.Copy(record.Value) : null!;
        message.Headers = record.Headers;
        message.Timestamp = record.Timestamp;
        return message;
    }

    /// <summary>What a record that the client does not take means.</summary>
    protected virtual Exception Refused(TopicPartition target, ProduceException<byte[], byte[]> refused) =>
        new LaneFailure(ExitCode.Internal, $"a record for {target.Topic} cannot be produced: {refused.Error.Reason}", refused);
}
