using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Finds out, for partitions that the group has just given to the lane, what is retained, what is committed, and so where answering begins.</summary>
internal sealed class AssignedPartitions(LaneContext context, TransactionInput input, int lane)
{
    /// <summary>Commits the end of every partition of which nothing is committed: where a group that takes what was before as history will go on after a crash too.</summary>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public void CommitEnds(IReadOnlyList<TopicPartition> partitions)
    {
        var ends = context.Admin.Ask(() => input.Committed(partitions))
            .Where(offset => offset.Offset == Offset.Unset)
            .Select(offset => new TopicPartitionOffset(offset.TopicPartition, context.Admin.Ask(() => input.Retained(offset.TopicPartition)).High))
            .ToList();
        if (ends.Count > 0)
        {
            context.Admin.Ask(() =>
            {
                input.CommitNow(ends);
                return true;
            });
        }
    }

    /// <summary>Makes the partitions, each with empty state.</summary>
    /// <exception cref="LaneFailure">What is committed cannot be.</exception>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public IEnumerable<PartitionInput> Begin(IReadOnlyList<TopicPartition> partitions, Stack<TransactionBatch> pool)
    {
        var labelSources = partitions.Select(partition => new TopicPartition(context.Topics.Labels, partition.Partition)).ToList();
        var committed = context.Admin.Ask(() => input.Committed([.. partitions, .. context.ReadsLabels ? labelSources : []])).ToDictionary(offset => offset.TopicPartition, offset => offset.Offset);
        var aggregateEnds = context.UsesAggregates ? context.Admin.EndOffsets(context.Topics.Aggregates, partitions.Select(partition => partition.Partition.Value)) : null;
        foreach (var partition in partitions)
        {
            var retained = context.Admin.Ask(() => input.Retained(partition));
            long low = retained.Low.Value;
            long high = retained.High.Value;
            var known = committed[partition];
            if (known != Offset.Unset && known.Value > high)
            {
                throw new LaneFailure(
                    ExitCode.Configuration,
                    $"group {context.Clients.Group} has committed offset {known.Value} of {partition.Topic} [{partition.Partition.Value}], which ends at {high}: the topic was made anew; reset the group's offsets or use another Kafka:Group");
            }

            if (known != Offset.Unset && known.Value < low)
            {
                context.Metrics.InputGap.Inc(low - known.Value);
                LogMessages.InputGap(context.Logger, partition.Partition.Value, known.Value, low);
            }

            long resume = known != Offset.Unset ? Math.Max(known.Value, low) : low;
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
