using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.State;

/// <summary>Whose state stands on the topic: a group whose offsets have expired, or were deleted, goes on from there all the same.</summary>
internal static class StateGroup
{
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(30);

    /// <summary>Whether a partition's state is a group's and of the present definition. Reads the topic, so it is asked only where the group itself knows nothing.</summary>
    /// <param name="clients">Builds the reader, and names the group.</param>
    /// <param name="plan">The present definition's.</param>
    /// <param name="topic">The topic of state.</param>
    /// <param name="ends">Ends of its partitions.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="logger">Says errors.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="CommandFailure">Nothing came for 30 s: nobody may guess, the answer decides whether contributions are removed.</exception>
    /// <exception cref="OperationCanceledException">The process is told to stop.</exception>
    public static bool CanGoOn(KafkaClients clients, FeaturePlan plan, string topic, IReadOnlyDictionary<int, long> ends, TimeProvider clock, ILogger logger, CancellationToken stopping)
    {
        using var empty = new PartitionState(plan, partition: 0);
        empty.KeepChangelog();
        var key = new RecordBuffer();
        var value = new RecordBuffer();
        using var consumer = clients.HandReader<int, int>("none", queuedKb: 16_384).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
        var groups = new Dictionary<int, string>();
        var marked = new HashSet<int>();
        var left = ends.Where(end => end.Value > 0).Select(end => end.Key).ToHashSet();
        consumer.Assign(left.Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (long movedAt = clock.GetTimestamp(); left.Count > 0;)
        {
            stopping.ThrowIfCancellationRequested();
            if (clock.GetElapsedTime(movedAt) > StallMax)
            {
                throw new CommandFailure(ExitCode.Unavailable, FormattableString.Invariant($"{topic} could not be read for {StallMax.TotalSeconds} s: a broker does not answer, or a transaction stands open there (kafka-transactions.sh find-hanging)"));
            }

            ConsumeResult<int, int>? record;
            try
            {
                record = consumer.Consume(millisecondsTimeout: 500);
            }
            catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
            {
                LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
                continue;
            }

            if (record is null)
            {
                continue;
            }

            movedAt = clock.GetTimestamp();
            int partition = record.Partition.Value;
            if (record.IsPartitionEOF)
            {
                left.Remove(partition);
                continue;
            }

            if (StateLoader.GroupOf(key.Span, value.Span) is { } group)
            {
                groups[partition] = group;
            }
            else if (StateLoader.IsMark(key.Span, empty.Shape))
            {
                marked.Add(partition);
            }
        }

        return marked.Any(partition => string.Equals(groups.GetValueOrDefault(partition), clients.Group, StringComparison.Ordinal));
    }
}
