using Confluent.Kafka;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.State;

/// <summary>Whose state stands on the topic: a group whose offsets have expired, or were deleted, goes on from there all the same.</summary>
internal static class StateGroup
{
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(30);

    /// <summary>Whether a partition's state was written last by a group. Reads the topic, so it is asked only where the group itself knows nothing.</summary>
    /// <param name="clients">Builds the reader, and names the group.</param>
    /// <param name="topic">The topic of state.</param>
    /// <param name="ends">Ends of its partitions.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It is told to stop, or nothing comes for 30 s.</exception>
    public static bool IsOn(KafkaClients clients, string topic, IReadOnlyDictionary<int, long> ends, CancellationToken stopping)
    {
        var key = new RecordBuffer();
        var value = new RecordBuffer();
        using var consumer = clients.HandReader<int, int>("none", queuedKb: 16_384).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
        var last = new Dictionary<int, string>();
        var left = ends.Where(end => end.Value > 0).Select(end => end.Key).ToHashSet();
        consumer.Assign(left.Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        while (left.Count > 0)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            patience.CancelAfter(StallMax);
            ConsumeResult<int, int> record;
            try
            {
                record = consumer.Consume(patience.Token);
            }
            catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
            {
                continue;
            }

            int partition = record.Partition.Value;
            if (!record.IsPartitionEOF && StateLoader.GroupOf(key.Span, value.Span) is { } group)
            {
                last[partition] = group;
            }

            if (record.IsPartitionEOF || record.Offset.Value + 1 >= ends[partition])
            {
                left.Remove(partition);
            }
        }

        return last.ContainsValue(clients.Group);
    }
}
