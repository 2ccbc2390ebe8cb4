using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Follows what the consumer group has decided, between two batches: takes partitions over and gives them up.</summary>
internal sealed class GroupDecisions(LaneContext context, int lane, OwnedPartitions partitions, AssignedPartitions assigned, StateRestorer? restorer, TransactionInput input, LabelInput? labelInput, LaneCommits commits, LaneShares shares, StateMetrics stateMetrics)
{
    private readonly Stack<TransactionBatch> pool = new();

    /// <summary>Partitions come: called before the client asks where to begin.</summary>
    public void Assigning(IReadOnlyList<TopicPartition> coming)
    {
        if (context.StartsLatest && coming.Count > 0)
        {
            assigned.CommitEnds(coming);
        }
    }

    /// <summary>Follows everything decided since the last call, in its order.</summary>
    /// <param name="takesPartitions">Whether partitions that come are begun; not by a lane that is leaving.</param>
    /// <exception cref="LaneFailure">A partition cannot be taken over.</exception>
    public void Follow(bool takesPartitions = true)
    {
        if (input.Rebalances.Count == 0)
        {
            return;
        }

        while (input.Rebalances.TryDequeue(out var rebalance))
        {
            context.Metrics.Rebalances.Inc();
            if (rebalance.Kind != RebalanceKind.Assigned)
            {
                foreach (var gone in rebalance.Partitions)
                {
                    GiveUp(gone);
                }
            }
            else if (rebalance.Partitions.Count > 0 && takesPartitions)
            {
                if (restorer is not null)
                {
                    input.Hold(rebalance.Partitions); // Before anything is asked: what the client fetches of them meanwhile is thrown away.
                }

                RefuseGrowth(rebalance.Partitions);
                List<PartitionInput> made = [.. assigned.Make(rebalance.Partitions, pool)];
                foreach (var partition in made)
                {
                    partitions.Add(partition);
                    partition.Share.Assignment = context.Ledger.Assign(partition.Partition, partition.Share.KnownAtOffset);
                }

                Begin(made);
            }
        }

        partitions.TakeEarlyEnds();
    }

    private void Begin(List<PartitionInput> made)
    {
        if (restorer is null)
        {
            made.ForEach(assigned.BeginFromInput);
            return;
        }

        made.ForEach(input.Pause);
        restorer.Add(made);
    }

    private void RefuseGrowth(IReadOnlyList<TopicPartition> coming)
    {
        if (coming.Any(partition => partition.Partition.Value >= context.PartitionCount))
        {
            int count = context.Admin.PartitionCounts().GetValueOrDefault(context.Topics.Transactions);
            throw new LaneFailure(
                ExitCode.Configuration,
                FormattableString.Invariant($"topic {context.Topics.Transactions} has {count} partitions, it had {context.PartitionCount} when this worker started; a key's state and outputs stand in its partition, and keys move with the count: make new topics of {count} partitions, name them in the definition under another service name, and replay into them"));
        }
    }

    private void GiveUp(TopicPartition gone)
    {
        if (partitions.Find(gone.Partition.Value) is not { } partition)
        {
            return;
        }

        restorer?.Remove(partition);
        if (!partition.IsRestoring)
        {
            labelInput?.Unassign(partition.Partition);
        }

        commits.Forget(partition.Source);
        commits.Forget(new TopicPartition(context.Topics.Labels, partition.Partition));
        if (partition.IsAnswering)
        {
            partition.State.Rollback(shares.TakingBack(partition)); // What could not be committed is not true yet: its new owner computes it again.
        }

        shares.GiveUp(partition);
        stateMetrics.End(partition);
        partitions.Remove(partition);
        context.Metrics.Lag.RemoveLabelled(context.Topics.Transactions, partition.Name);
        context.Metrics.RestoreRemaining.RemoveLabelled(partition.Name);
        context.Metrics.LastEventTime.RemoveLabelled(context.Topics.Transactions, partition.Name);
        context.Metrics.StateEntries.RemoveLabelled(partition.Name);
        context.Metrics.Watermark.RemoveLabelled(partition.Name);
        LogMessages.Revoked(context.Logger, lane, partition.Partition);
    }
}
