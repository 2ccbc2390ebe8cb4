using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Finds out, for partitions that the group has just given to the lane, what is retained, what is committed, and so where answering begins.</summary>
internal sealed class AssignedPartitions(LaneContext context, TransactionInput input, int lane)
{
    /// <summary>Makes the partitions, each with empty state.</summary>
    /// <exception cref="LaneFailure">What is committed cannot be, or no broker answers.</exception>
    public IEnumerable<PartitionInput> Begin(IReadOnlyList<TopicPartition> partitions, Stack<TransactionBatch> pool)
    {
        var labelSources = partitions.Select(partition => new TopicPartition(context.Topics.Labels, partition.Partition)).ToList();
        Dictionary<TopicPartition, Offset> committed;
        IReadOnlyDictionary<int, long>? aggregateEnds;
        try
        {
            committed = input.Committed([.. partitions, .. context.ReadsLabels ? labelSources : []]).ToDictionary(offset => offset.TopicPartition, offset => offset.Offset);
            aggregateEnds = context.UsesAggregates ? context.Admin.EndOffsets(context.Topics.Aggregates, partitions.Select(partition => partition.Partition.Value)) : null;
        }
        catch (KafkaException unanswered)
        {
            throw new LaneFailure(ExitCode.Unavailable, $"committed offsets are not answered: {unanswered.Error.Reason}", unanswered);
        }

        foreach (var partition in partitions)
        {
            var retained = input.Retained(partition);
            long low = retained.Low.Value;
            long high = retained.High.Value;
            var known = committed[partition];
            if (known != Offset.Unset && known.Value > high)
            {
                throw new LaneFailure(
                    ExitCode.Configuration,
                    $"group {context.Clients.Group} has committed offset {known.Value} of {partition.Topic} [{partition.Partition.Value}], which ends at {high}: the topic was made anew; reset the group's offsets or use another Kafka:Group");
            }

            long resume = known != Offset.Unset ? known.Value : context.StartsLatest ? high : low;
            bool rebuilds = context.KeepsState && resume > low;
            var labels = context.ReadsLabels
                ? new PartitionLabels(context.Schema, committed[new TopicPartition(context.Topics.Labels, partition.Partition)] is { } label && label != Offset.Unset ? label.Value : 0)
                : null;
            LogMessages.Assigned(context.Logger, lane, partition.Partition.Value, known.Value, low, high);
            yield return new PartitionInput(partition, new PartitionState(context.Service.Plan, partition.Partition.Value), new StagedRows(context.Schema, pool), labels)
            {
                ResumeOffset = resume,
                ReceivedOffset = context.KeepsState ? low : resume,
                IsRebuilding = rebuilds || aggregateEnds is not null,
                Share = new PartitionShare { KnownAtOffset = aggregateEnds?[partition.Partition.Value] ?? 0 },
            };
        }
    }
}
