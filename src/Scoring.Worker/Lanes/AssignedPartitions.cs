using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Finds out, for partitions that the group has just given to the lane, what is retained, what is committed, and so where answering begins.</summary>
internal sealed class AssignedPartitions(LaneContext context, OwnedPartitions partitions, TransactionInput input, LabelInput? labelInput, int lane)
{
    /// <summary>Commits the end of every partition of which nothing is committed: where a group that takes what was before as history will go on after a crash too.</summary>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public void CommitEnds(IReadOnlyList<TopicPartition> coming)
    {
        var ends = context.Admin.Ask(() => input.Committed(coming))
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

    /// <summary>Makes the partitions, none of them begun.</summary>
    /// <exception cref="LaneFailure">What is committed cannot be.</exception>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public IEnumerable<PartitionInput> Make(IReadOnlyList<TopicPartition> coming, Stack<TransactionBatch> pool)
    {
        var labelSources = coming.Select(partition => new TopicPartition(context.Topics.Labels, partition.Partition)).ToList();
        var readBefore = coming.ToDictionary(partition => partition, partition => context.Ledger.Position(partition.Partition.Value));
        var told = Committed([.. coming, .. context.ReadsLabels ? labelSources : []]);
        var aggregateEnds = context.UsesAggregates ? context.Admin.EndOffsets(context.Topics.Aggregates, coming.Select(partition => partition.Partition.Value)) : null;
        foreach (var partition in coming)
        {
            var retained = context.Admin.Ask(() => input.Retained(partition));
            long low = retained.Low.Value;
            long high = retained.High.Value;
            var known = told[partition];
            if (known != Offset.Unset && known.Value > high)
            {
                throw new LaneFailure(
                    ExitCode.Configuration,
                    $"group {context.Clients.Group} has committed offset {known.Value} of {partition.Topic} [{partition.Partition.Value}], which ends at {high}: the topic was made anew; reset the group's offsets or use another Kafka:Group");
            }

            var labels = context.ReadsLabels ? told[new TopicPartition(context.Topics.Labels, partition.Partition)] : Offset.Unset;
            LogMessages.Assigned(context.Logger, lane, partition.Partition.Value, known.Value, low, high);
            yield return new PartitionInput(
                partition,
                Empty(partition.Partition.Value),
                new StagedRows(context.Schema, pool),
                context.ReadsLabels ? new PartitionLabels(context.Schema, labels == Offset.Unset ? 0 : labels.Value) { Refused = new RefusedRecords(context.Lanes.RefusedBytesMax) } : null,
                new PartitionStart(known, labels, low, aggregateEnds is not null))
            {
                Refused = new RefusedRecords(context.Lanes.RefusedBytesMax),
                Suspects = new RefusedRecords(context.Lanes.RefusedBytesMax),
                Crashes = context.Crashes?.Of(partition.Partition.Value),
                Changelog = context.HasChangelog ? new ChangelogProgress() : null,
                Share = new PartitionShare { ReadBefore = readBefore[partition], KnownAtOffset = aggregateEnds?[partition.Partition.Value] ?? 0 },
            };
        }
    }

    /// <summary>Begins a partition whose state the input has to tell.</summary>
    public void BeginFromInput(PartitionInput partition) => BeginFromInput(partition, partition.Start.Committed == Offset.Unset ? partition.Start.Low : partition.Start.Committed.Value);

    /// <summary>Begins a partition whose state the input has to tell, though what is answered is known otherwise.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="resume">What is answered.</param>
    public void BeginFromInput(PartitionInput partition, StateMark resume)
    {
        AnsweredBefore(partition, resume);
        BeginFromInput(partition, resume.TransactionOffset);
    }

    /// <summary>Begins a partition whose state is that of a mark.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="restored">Its state.</param>
    /// <param name="mark">What the state is of.</param>
    /// <param name="resume">What is committed.</param>
    public void BeginFromMark(PartitionInput partition, PartitionState restored, StateMark mark, StateMark resume)
    {
        partition.Changelog!.HasMark = true;
        partition.Share.HasUndrained = true; // What the former owner had computed and not told is part of the state: no row goes before it is.
        AnsweredBefore(partition, resume);
        Begin(partition, restored, mark.TransactionOffset, mark.LabelOffset, Math.Max(resume.TransactionOffset, partition.Start.Low));
    }

    /// <summary>What the group has committed of a partition by now.</summary>
    /// <exception cref="CommandFailure">It does not tell.</exception>
    public Offset CommittedNow(TopicPartition partition) => Committed([partition])[partition];

    /// <summary>What the group has committed.</summary>
    /// <exception cref="CommandFailure">It does not tell.</exception>
    private Dictionary<TopicPartition, Offset> Committed(List<TopicPartition> asked) =>
        context.Admin.Committed(context.Clients.Group, asked, () => input.Committed(asked)).ToDictionary(offset => offset.TopicPartition, offset => offset.Offset);

    private void BeginFromInput(PartitionInput partition, long resume)
    {
        long low = partition.Start.Low;
        Begin(partition, Empty(partition.Partition), context.KeepsState ? low : Math.Max(resume, low), labels: 0, Math.Max(resume, low));
    }

    private static void AnsweredBefore(PartitionInput partition, StateMark resume)
    {
        if (partition.Labels is { } labels)
        {
            labels.ResumeOffset = resume.LabelOffset;
        }
    }

    private void Begin(PartitionInput partition, PartitionState state, long from, long labels, long resume)
    {
        // A lost row is missed by what is answered, or, where it was answered already, by the state.
        long expected = Math.Min(from, partition.Start.Committed == Offset.Unset ? from : partition.Start.Committed.Value);
        if (context.Gaps.Count(partition.Partition, expected, partition.Start.Low) is { } first)
        {
            LogMessages.InputGap(context.Logger, partition.Partition, first, partition.Start.Low);
        }

        partition.Excluded.UnionWith((partition.Crashes?.Refused ?? []).Where(offset => offset >= resume || !context.HasChangelog)); // What is answered another may have scored: the state topic knows.
        if (partition.Excluded.Count > 0)
        {
            input.KeepValues(); // Its dead letter has the original bytes.
        }

        partitions.Begin(partition, state, Math.Max(from, partition.Start.Low), resume);
        if (partition.Labels is { } waiting)
        {
            waiting.Begin(labels);
            labelInput!.Assign(partition.Partition, labels);
        }

        if (context.HasChangelog)
        {
            input.Seek(partition, partition.ReceivedOffset);
        }

        input.Resume(partition); // The client remembers across assignments that it was paused.
        input.FetchNow(partition.Source);
        if (context.IsExactlyOnce && !partition.IsRebuilding)
        {
            partition.Answer(partition.ResumeOffset);
        }
    }

    /// <summary>A state of nothing.</summary>
    public PartitionState Empty(int partition)
    {
        var state = new PartitionState(context.Service.Plan, partition);
        if (context.HasChangelog)
        {
            state.KeepChangelog();
        }

        return state;
    }
}
