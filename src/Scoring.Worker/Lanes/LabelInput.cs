using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>A lane's reader of labels. Its partitions are assigned by hand: always those of the transactions the lane owns.</summary>
/// <remarks>See docs/decisions/0004: the group assigns one topic, the other follows.</remarks>
internal sealed class LabelInput : IDisposable
{
    private const int WaitingMax = 2_048;
    private const int RecordsPerStep = 512;

    private readonly RecordBuffer key = new();
    private readonly LabelValue value = new();
    private readonly IConsumer<int, int> consumer;
    private readonly LabelDecoder decoder;
    private readonly string topic;
    private readonly PartitionInput?[] inputs;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;

    /// <summary>Prepares the reader; nothing is assigned yet.</summary>
    /// <param name="clients">Builds the consumer.</param>
    /// <param name="topic">The topic of labels.</param>
    /// <param name="decoder">Decodes them.</param>
    /// <param name="inputs">The lane's partitions by number.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="logger">Says errors.</param>
    public LabelInput(KafkaClients clients, string topic, LabelDecoder decoder, PartitionInput?[] inputs, WorkerMetrics metrics, ILogger logger)
    {
        this.topic = topic;
        this.decoder = decoder;
        this.inputs = inputs;
        this.metrics = metrics;
        this.logger = logger;
        consumer = clients.HandReader<int, int>("headers,timestamp", queuedKb: 4_096, isPolledOn: true).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
    }

    /// <summary>Starts reading a partition.</summary>
    /// <param name="partition">Its number.</param>
    /// <param name="offset">First offset; 0 for the first that is retained.</param>
    public void Assign(int partition, long offset)
    {
        Fetching.Assign(consumer, new TopicPartitionOffset(topic, partition, offset == 0 ? Offset.Beginning : offset));
        consumer.Resume([new TopicPartition(topic, partition)]); // The client remembers across assignments that it was paused.
    }

    /// <summary>Reads a partition again from <see cref="PartitionLabels.RewindOffset"/>.</summary>
    public void Seek(PartitionLabels labels, int partition) => Seek(partition, labels.RewindOffset);

    /// <summary>Stops reading a partition.</summary>
    public void Unassign(int partition) => consumer.IncrementalUnassign([new TopicPartition(topic, partition)]);

    /// <summary>Takes what is there, bounded.</summary>
    /// <param name="nowMs">Wall clock, ms since 1970 UTC.</param>
    /// <param name="waitMs">How long to wait for the first record.</param>
    public void Fill(long nowMs, int waitMs)
    {
        for (int i = 0; i < RecordsPerStep; i++)
        {
            ConsumeResult<int, int>? result;
            try
            {
                result = consumer.Consume(i == 0 ? waitMs : 0);
            }
            catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
            {
                metrics.ReadErrors.Inc();
                LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
                return;
            }

            if (result is null)
            {
                return;
            }

            if (inputs[result.Partition.Value] is { Labels: { } labels } input)
            {
                Take(result, input, labels, nowMs);
            }
        }
    }

    /// <summary>Lets a partition flow again whose labels were applied.</summary>
    public void ResumeIfDrained(PartitionLabels labels, int partition)
    {
        if (labels.IsPaused && labels.Count <= WaitingMax / 4 && !labels.Refused.AreMany)
        {
            labels.IsPaused = false;
            consumer.Resume([new TopicPartition(topic, partition)]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => consumer.Dispose();

    private void Seek(int partition, long offset) => consumer.Seek(new TopicPartitionOffset(topic, partition, offset));

    private void Take(ConsumeResult<int, int> result, PartitionInput input, PartitionLabels labels, long nowMs)
    {
        if (result.IsPartitionEOF)
        {
            if (!Follow(labels.Last.LookAtEnd(result.Offset.Value, out long from), input, labels, result.Offset.Value, from))
            {
                return;
            }

            labels.ReceivedOffset = Math.Max(labels.ReceivedOffset, result.Offset.Value);
            labels.IsAtEnd = true;
            return;
        }

        long offset = result.Offset.Value;
        if (!Follow(labels.Last.Look(offset, result.LeaderEpoch, result.Message.Timestamp.UnixTimestampMs, out long readFrom), input, labels, offset, readFrom))
        {
            return;
        }

        labels.Last.Is(offset, result.LeaderEpoch, result.Message.Timestamp.UnixTimestampMs);
        long appendTimeMs = result.Message.Timestamp.UnixTimestampMs;
        var refusal = decoder.Decode(value.Bytes.Span, value.Bytes.IsNull, value.Headers, nowMs, labels.Next());
        if (refusal.IsNone)
        {
            labels.Accept(input.Partition, offset, appendTimeMs);
        }
        else if (offset >= labels.ResumeOffset)
        {
            labels.Refused.Add(new RefusedRecord(refusal, topic, input.Partition, offset, result.Message.Timestamp, key, value.Bytes, result.Message.Headers));
        }

        labels.ReceivedOffset = offset + 1;
        var known = consumer.GetWatermarkOffsets(new TopicPartition(topic, input.Partition));
        labels.IsAtEnd = known.High != Offset.Unset && labels.ReceivedOffset >= known.High.Value;
        if ((labels.Count >= WaitingMax || labels.Refused.AreMany) && !labels.IsPaused)
        {
            labels.IsPaused = true;
            consumer.Pause([new TopicPartition(topic, input.Partition)]);
        }
    }

    /// <summary>Whether a label, or an end, is the next of its partition. Else the client was sent back (docs/decisions/0028): it is set to where that is seen, or to where it stood; or the log is another, and is read from its first label on.</summary>
    private bool Follow(LastRecord.Place place, PartitionInput input, PartitionLabels labels, long offset, long readFrom)
    {
        int partition = input.Partition;
        switch (place)
        {
            case LastRecord.Place.Next:
                return true;
            case LastRecord.Place.Gone:
                LogMessages.LabelsAnew(logger, topic, partition, labels.Last.Position, offset);
                labels.StartOver();
                if (input.Changelog is { } changelog)
                {
                    changelog.MustMark = true; // The last one is of the other log.
                }

                Seek(partition, Offset.Beginning.Value);
                return false;
            case LastRecord.Place.Sought when labels.Last.IsFirstLook:
                LogMessages.SentBack(logger, topic, partition, labels.Last.Position, offset);
                break;
        }

        Seek(partition, readFrom);
        return false;
    }

    /// <summary>Keeps value and headers until the partition is known, which the client tells only afterwards.</summary>
    private sealed class LabelValue : IDeserializer<int>
    {
        public RecordBuffer Bytes { get; } = new();

        public EventHeaders Headers { get; } = new();

        public int Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
        {
            RecordHeaders.Read(context.Headers, Headers);
            return Bytes.Deserialize(data, isNull, context);
        }
    }
}
