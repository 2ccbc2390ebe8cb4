using System.Text;
using Confluent.Kafka;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Publishing;

/// <summary>Reads what a channel holds, from the beginning of the topic to its end.</summary>
internal static class ChannelReader
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    /// <summary>Every record of the channel that compaction has left, oldest first.</summary>
    /// <exception cref="TrainerException">No broker answers, or the topic is not there.</exception>
    public static IReadOnlyList<OfferedModel> Read(BrokerAccess access, ModelChannel channel, TimeProvider clock)
    {
        int partitionCount = PartitionCount(access, channel.Topic);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(access.Configure(new ConsumerConfig
        {
            GroupId = "fraudscoring-trainer", // Never joined: partitions are assigned by hand, nothing is committed.
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            IsolationLevel = IsolationLevel.ReadCommitted,
        })).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, partitionCount).Select(partition => new TopicPartitionOffset(channel.Topic, partition, Offset.Beginning)));
        byte[] key = Encoding.UTF8.GetBytes(channel.Key);
        var found = new List<OfferedModel>();
        long newsAt = clock.GetTimestamp();
        for (int endsReached = 0; endsReached < partitionCount;)
        {
            ConsumeResult<byte[], byte[]>? record;
            try
            {
                record = consumer.Consume(Slice);
            }
            catch (ConsumeException unreadable)
            {
                throw access.NoAnswer(unreadable.Error);
            }

            if (record is null)
            {
                if (clock.GetElapsedTime(newsAt) > BrokerAccess.Patience)
                {
                    throw access.NoAnswer(new Error(ErrorCode.Local_TimedOut, $"topic {channel.Topic} was not read to its end"));
                }

                continue;
            }

            newsAt = clock.GetTimestamp();
            if (record.IsPartitionEOF)
            {
                endsReached++;
            }
            else if (record.Message.Key is { } ofRecord && ofRecord.AsSpan().SequenceEqual(key))
            {
                var headers = record.Message.Headers.Select(header => new KeyValuePair<string, byte[]?>(header.Key, header.GetValueBytes()));
                found.Add(new OfferedModel(
                    record.Partition.Value, record.Offset.Value, DateTimeOffset.FromUnixTimeMilliseconds(record.Message.Timestamp.UnixTimestampMs), ModelRecordHeaders.Read(headers), record.Message.Value));
            }
        }

        return found; // One key, one partition: in the order in which they were written.
    }

    private static int PartitionCount(BrokerAccess access, string topic)
    {
        using var admin = new AdminClientBuilder(access.Configure(new AdminClientConfig())).SetLogHandler((_, _) => { }).Build();
        try
        {
            var metadata = admin.GetMetadata(BrokerAccess.Patience).Topics.Find(found => string.Equals(found.Topic, topic, StringComparison.Ordinal));
            return metadata is { Error.IsError: false }
                ? metadata.Partitions.Count
                : throw new TrainerException(ExitCode.Configuration, $"topic {topic} is not there; make it with the worker's verb: topics create");
        }
        catch (KafkaException unanswered)
        {
            throw access.NoAnswer(unanswered.Error);
        }
    }
}
