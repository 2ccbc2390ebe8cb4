using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Lanes;

/// <summary>Takes a lane back to its last commit: state, rows that wait, what others were told, and the readers' positions.</summary>
/// <param name="context">The lane's.</param>
/// <param name="partitions">What is taken back.</param>
/// <param name="input">Reader of transactions.</param>
/// <param name="labelInput">Reader of labels, if any.</param>
/// <param name="batch">Rows at hand.</param>
/// <param name="pipeline">What was computed of them.</param>
/// <param name="shares">What was told.</param>
/// <param name="records">What was counted.</param>
internal sealed class LaneRewind(
    LaneContext context, OwnedPartitions partitions, TransactionInput input, LabelInput? labelInput, TransactionBatch batch, ScoringPipeline pipeline, LaneShares shares, OutputRecords records)
{
    /// <summary>What the group has of a partition before a commit, of transactions or labels; null for one that is not owned or does not answer yet.</summary>
    public long? OffsetOf(TopicPartition partition) => partitions.Find(partition.Partition.Value) is not { IsAnswering: true } owned ? null
        : string.Equals(partition.Topic, context.Topics.Transactions, StringComparison.Ordinal) ? owned.RewindOffset
        : owned.Labels!.CommittedOffset;

    /// <summary>A commit begins.</summary>
    public void BeginCommit() => shares.NotePositions(partitions.All);

    /// <summary>Makes the present the point to go back to: everything up to the positions is committed.</summary>
    /// <param name="committed">The positions.</param>
    /// <param name="byThisLane">Whether that is certain to be this lane's work: another that has come exactly as far has told others what this process may have passed over.</param>
    public void Settle(List<TopicPartitionOffset> committed, bool byThisLane)
    {
        foreach (var partition in partitions.All)
        {
            if (partition.IsAnswering)
            {
                partition.Settle(PositionIn(committed, partition.Source) ?? partition.RewindOffset);
                if (partition.Labels is { } labels)
                {
                    labels.CommittedOffset = PositionIn(committed, new TopicPartition(context.Topics.Labels, partition.Partition)) ?? labels.CommittedOffset;
                }

                if (byThisLane)
                {
                    shares.Settle(partition);
                }
            }
        }

        records.Settle();
    }

    /// <summary>Takes everything back that is not committed. Partitions whose state is still being rebuilt have nothing to take back.</summary>
    public void All()
    {
        partitions.NoteInHand();
        pipeline.Compute(batch, partitions.States); // Rows that only rebuild state are not read again.
        pipeline.RememberAll(batch, partitions.States);
        batch.Clear();
        pipeline.Clear();
        records.Discard();
        foreach (var partition in partitions.All)
        {
            partition.PutDown(isAnswered: false);
            partition.State.DropForgottenAnswers();
            if (!partition.IsAnswering)
            {
                continue;
            }

            bool isBehind = partition.Rewind(context.Planted.Bug, shares.TakingBack(partition));
            shares.Rewound(partition);
            bool areBehind = context.Planted.Bug != PlantedBug.LabelsKept && partition.Labels?.Rewind() == true;
            if (partition.IsLost || partition.Share.IsLeaving || context.Planted.Bug == PlantedBug.NoSeek)
            {
                continue; // Its rows and labels are read elsewhere.
            }

            if (isBehind)
            {
                input.Seek(partition);
            }

            if (areBehind)
            {
                labelInput!.Seek(partition.Labels!, partition.Partition);
            }
        }
    }

    private static long? PositionIn(List<TopicPartitionOffset> committed, TopicPartition partition)
    {
        foreach (var position in committed)
        {
            if (position.TopicPartition.Equals(partition))
            {
                return position.Offset.Value;
            }
        }

        return null;
    }
}
