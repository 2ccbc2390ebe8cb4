using System.Globalization;
using Confluent.Kafka;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>Reads the topics of transactions and labels into a recorder, from where the recorder stands.</summary>
/// <remarks>Partitions are assigned by hand and nothing is committed: the positions stand in the history, beside the rows that they belong to.</remarks>
internal sealed class StreamSource : IDisposable
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly BrokerAccess access;
    private readonly HistoryRecorder recorder;
    private readonly TimeProvider clock;
    private readonly Action<string> log;
    private readonly IConsumer<byte[]?, byte[]?> consumer;
    private readonly Dictionary<string, SourceKind> kinds;
    private readonly Dictionary<TopicPartition, long> reached = [];
    private readonly EventHeaders headers = new();

    /// <summary>Assigns every partition of both topics.</summary>
    /// <exception cref="TrainerException">No broker answers, a topic is not there, or it ends before what is recorded of it.</exception>
    public StreamSource(BrokerAccess access, ServiceDefinition definition, HistoryRecorder recorder, TimeProvider clock, Action<string> log)
    {
        (this.access, this.recorder, this.clock, this.log) = (access, recorder, clock, log);
        kinds = new(StringComparer.Ordinal) { [definition.Topics.Transactions] = SourceKind.Transactions, [definition.Topics.Labels] = SourceKind.Labels };
        consumer = new ConsumerBuilder<byte[]?, byte[]?>(access.Configure(new ConsumerConfig
        {
            GroupId = "fraudscoring-trainer", // Never joined.
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest, // Only where the topic's retention has passed a position.
            IsolationLevel = IsolationLevel.ReadCommitted,
            CheckCrcs = true,
        })).SetErrorHandler((_, error) => log($"Kafka: {error.Reason}")).SetLogHandler((_, _) => { }).Build();
        try
        {
            Assign();
        }
        catch
        {
            consumer.Dispose();
            throw;
        }
    }

    /// <summary>Records that the topics had lost before they were read.</summary>
    public long Missed { get; private set; }

    /// <summary>Takes what is there, bounded.</summary>
    /// <param name="recordsMax">Most records.</param>
    /// <param name="wait">How long to wait for the first.</param>
    /// <returns>Records taken.</returns>
    public int Fill(int recordsMax, TimeSpan wait)
    {
        int taken = 0;
        long nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        while (taken < recordsMax && Consume(taken == 0 ? wait : TimeSpan.Zero) is { } result)
        {
            taken += Take(result, nowMs) ? 1 : 0;
        }

        return taken;
    }

    /// <summary>Reads both topics to the ends that they have now: whatever was written before the call is recorded after it.</summary>
    /// <exception cref="TrainerException">No broker answers.</exception>
    public void FillToEnds(CancellationToken cancellation)
    {
        var ends = reached.Keys.ToDictionary(place => place, EndOf);
        long newsAt = clock.GetTimestamp();
        while (ends.Any(end => reached[end.Key] < end.Value))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Consume(Slice) is { } result)
            {
                Take(result, clock.GetUtcNow().ToUnixTimeMilliseconds());
                newsAt = clock.GetTimestamp();
            }
            else if (clock.GetElapsedTime(newsAt) > BrokerAccess.Patience)
            {
                throw access.NoAnswer(new Error(ErrorCode.Local_TimedOut, "the topics were not read to their ends"));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => consumer.Dispose();

    private void Assign()
    {
        using var admin = new AdminClientBuilder(access.Configure(new AdminClientConfig())).SetLogHandler((_, _) => { }).Build();
        var places = new List<TopicPartitionOffset>();
        foreach (var (topic, kind) in kinds)
        {
            for (int partition = 0; partition < PartitionCount(admin, topic); partition++)
            {
                var place = new TopicPartition(topic, partition);
                long position = recorder.Position(kind, partition) ?? 0;
                long end = EndOf(place);
                if (end < position)
                {
                    throw new TrainerException(ExitCode.Configuration, string.Create(
                        CultureInfo.InvariantCulture,
                        $"{topic} partition {partition} ends at {end}, but the history has it up to {position}: the topic was made anew; give the trainer a new folder"));
                }

                reached[place] = position;
                places.Add(new(place, position));
            }
        }

        consumer.Assign(places);
    }

    private int PartitionCount(IAdminClient admin, string topic)
    {
        try
        {
            var found = admin.GetMetadata(BrokerAccess.Patience).Topics.Find(metadata => string.Equals(metadata.Topic, topic, StringComparison.Ordinal));
            return found is { Error.IsError: false }
                ? found.Partitions.Count
                : throw new TrainerException(ExitCode.Configuration, $"topic {topic} is not there; make it with the worker's verb: topics create");
        }
        catch (KafkaException unanswered)
        {
            throw access.NoAnswer(unanswered.Error);
        }
    }

    private long EndOf(TopicPartition place)
    {
        try
        {
            return consumer.QueryWatermarkOffsets(place, BrokerAccess.Patience).High.Value;
        }
        catch (KafkaException unanswered)
        {
            throw access.NoAnswer(unanswered.Error);
        }
    }

    private ConsumeResult<byte[]?, byte[]?>? Consume(TimeSpan wait)
    {
        try
        {
            return consumer.Consume(wait);
        }
        catch (ConsumeException error) when (!error.Error.IsFatal)
        {
            log($"Kafka: {error.Error.Reason}");
            return null;
        }
        catch (ConsumeException fatal)
        {
            throw access.NoAnswer(fatal.Error);
        }
    }

    private bool Take(ConsumeResult<byte[]?, byte[]?> result, long nowMs)
    {
        var place = result.TopicPartition;
        long offset = result.Offset.Value;
        if (result.IsPartitionEOF)
        {
            reached[place] = Math.Max(reached[place], offset);
            return false;
        }

        if (offset > reached[place] && recorder.Position(kinds[place.Topic], place.Partition.Value) is not null && consumer.GetWatermarkOffsets(place).Low.Value > reached[place])
        {
            Missed += offset - reached[place];
            log(string.Create(CultureInfo.InvariantCulture, $"{place.Topic} partition {place.Partition.Value}: {offset - reached[place]} records were deleted by the topic's retention before they were read"));
        }

        headers.Clear();
        foreach (var header in result.Message.Headers)
        {
            headers.Add(header.Key, header.GetValueBytes());
        }

        recorder.Take(kinds[place.Topic], new(place.Partition.Value, offset, result.Message.Value, headers, result.Message.Timestamp.UnixTimestampMs), nowMs);
        reached[place] = offset + 1;
        return true;
    }
}
