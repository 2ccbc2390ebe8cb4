using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>A lane's producer: records go to a stated partition, and what is acknowledged is known per commit interval.</summary>
internal sealed class LaneOutput : IDisposable
{
    private const int PooledLengthMax = 16_384;

    /// <summary>Most bytes not acknowledged before no more input is taken: far below what the producer itself would refuse.</summary>
    private const long BytesMax = 256L << 20;

    private static readonly TimeSpan QueueFullMax = TimeSpan.FromSeconds(30);

    private readonly IProducer<byte[], byte[]> producer;
    private readonly int inFlightMax;
    private readonly TimeProvider clock;
    private readonly Message<byte[], byte[]> message = new();
    private readonly ExactBuffers keys = new(PooledLengthMax);
    private readonly ExactBuffers values = new(PooledLengthMax);
    private DeliveryWindow open = new();
    private DeliveryWindow closed = new();

    /// <summary>Takes over the producer, which must not poll by itself.</summary>
    public LaneOutput(IProducer<byte[], byte[]> producer, int inFlightMax, TimeProvider clock)
    {
        this.producer = producer;
        this.inFlightMax = inFlightMax;
        this.clock = clock;
    }

    /// <summary>Records that the broker has not acknowledged.</summary>
    public int InFlight => open.Outstanding + closed.Outstanding;

    /// <summary>Whether more input may be taken.</summary>
    public bool HasRoom => InFlight < inFlightMax && open.Bytes + closed.Bytes < BytesMax;

    /// <summary>Whether everything before the last <see cref="Close"/> is acknowledged.</summary>
    public bool ClosedIsAcknowledged => closed.Outstanding == 0;

    /// <summary>Serves delivery reports.</summary>
    /// <exception cref="LaneFailure">The broker refused a record.</exception>
    public void Poll(TimeSpan wait)
    {
        if (InFlight > 0)
        {
            producer.Poll(wait);
        }

        if ((open.Refused ?? closed.Refused) is { } error)
        {
            throw new LaneFailure(ExitCode.Internal, $"an output record was refused: {error.Reason}");
        }
    }

    /// <summary>Hands a record to the producer, which copies it before it returns.</summary>
    /// <param name="target">Topic and partition: the partition of the input it answers.</param>
    /// <param name="key">Key bytes.</param>
    /// <param name="value">Value bytes.</param>
    /// <param name="headers">Headers, or none.</param>
    /// <param name="timestamp">Time stamp; default: now.</param>
    /// <param name="hasKey">False for a null key.</param>
    /// <param name="hasValue">False for a null value.</param>
    /// <exception cref="LaneFailure">The producer cannot take it.</exception>
    public void Produce(TopicPartition target, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Headers? headers = null, Timestamp timestamp = default, bool hasKey = true, bool hasValue = true)
    {
        message.Key = hasKey ? keys.Copy(key) : null!;
        message.Value = hasValue ? values.Copy(value) : null!;
        message.Headers = headers;
        message.Timestamp = timestamp;
        long fullSince = 0;
        while (true)
        {
            try
            {
                producer.Produce(target, message, open.Delivered);
                open.Sent(key.Length + value.Length);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                // Input stops long before; what a batch in hand still publishes may come here.
                fullSince = fullSince == 0 ? clock.GetTimestamp() : fullSince;
                if (clock.GetElapsedTime(fullSince) > QueueFullMax)
                {
                    throw new LaneFailure(ExitCode.Unavailable, $"the producer's queue has been full for {QueueFullMax.TotalSeconds:0} s: the broker takes nothing for {target.Topic}", full);
                }

                Poll(TimeSpan.FromMilliseconds(10));
            }
            catch (ProduceException<byte[], byte[]> refused)
            {
                throw new LaneFailure(ExitCode.Internal, $"a record for {target.Topic} cannot be produced: {refused.Error.Reason}", refused);
            }
        }
    }

    /// <summary>Begins a new interval; what was produced so far is the closed one.</summary>
    /// <exception cref="InvalidOperationException">The one closed before is not acknowledged yet.</exception>
    public void Close()
    {
        if (!ClosedIsAcknowledged)
        {
            throw new InvalidOperationException("the closed interval is not acknowledged");
        }

        (open, closed) = (closed, open);
    }

    /// <summary>Waits until everything is acknowledged.</summary>
    /// <returns>False when the deadline came first.</returns>
    public bool Flush(TimeSpan bound)
    {
        long started = clock.GetTimestamp();
        while (InFlight > 0)
        {
            Poll(TimeSpan.FromMilliseconds(5));
            if (clock.GetElapsedTime(started) > bound)
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => producer.Dispose();
}
