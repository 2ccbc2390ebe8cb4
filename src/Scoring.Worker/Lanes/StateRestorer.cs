using Confluent.Kafka;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Reads the state of partitions that came to the lane from its topic, a little in every cycle, so that the lane stays in its group meanwhile.</summary>
/// <remarks>
/// Read is up to the end of the topic as a reader of everything sees it, by one that is given committed records only: a transaction that is
/// being ended is waited for. The end that a reader of committed records is told lies before such a transaction, and state up to there is stale.
/// </remarks>
internal sealed class StateRestorer : IDisposable
{
    private const int RecordsPerStep = 4_000;

    /// <summary>Longest without a record while some are due: the broker ends a dead worker's transaction after 10 s, and looks every 10 s.</summary>
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(30);

    private readonly RecordBuffer key = new();
    private readonly RecordBuffer value = new();
    private readonly IConsumer<int, int> consumer;
    private readonly LaneContext context;
    private readonly AssignedPartitions assigned;
    private readonly int lane;
    private readonly Dictionary<int, Restoring> underway = [];

    /// <summary>Prepares the reader; nothing is restored yet.</summary>
    public StateRestorer(LaneContext context, AssignedPartitions assigned, int lane)
    {
        this.context = context;
        this.assigned = assigned;
        this.lane = lane;
        consumer = context.Clients.HandReader<int, int>("none", queuedKb: 32_768).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
    }

    /// <summary>Whether anything is being restored.</summary>
    public bool IsAtWork => underway.Count > 0;

    /// <summary>Begins to restore partitions. What is committed was asked for before, so all that belongs to it stands before the end now.</summary>
    public void Add(IReadOnlyList<PartitionInput> partitions)
    {
        var ends = context.Admin.EndOffsets(context.Topics.State, partitions.Select(partition => partition.Partition));
        foreach (var partition in partitions)
        {
            var restoring = new Restoring(partition, ends[partition.Partition], new StateLoader(partition.State), context.Clock.GetTimestamp());
            if (restoring.End == 0)
            {
                Finish(restoring);
                continue;
            }

            underway[partition.Partition] = restoring;
            Fetching.Assign(consumer, [new TopicPartitionOffset(context.Topics.State, partition.Partition, Offset.Beginning)]);
        }
    }

    /// <summary>Gives a partition up.</summary>
    public void Remove(PartitionInput partition)
    {
        if (underway.Remove(partition.Partition))
        {
            consumer.IncrementalUnassign([new TopicPartition(context.Topics.State, partition.Partition)]);
        }
    }

    /// <summary>Takes what is there, bounded.</summary>
    /// <exception cref="LaneFailure">A record cannot be read, or one that is due does not come.</exception>
    public void Step()
    {
        for (int i = 0; i < RecordsPerStep && underway.Count > 0; i++)
        {
            ConsumeResult<int, int>? result;
            try
            {
                result = consumer.Consume(i == 0 ? 1 : 0);
            }
            catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
            {
                context.Metrics.ReadErrors.Inc();
                LogMessages.ReadError(context.Logger, context.Topics.State, error.Error.Code.ToString(), error.Error.Reason);
                break;
            }

            if (result is null)
            {
                break;
            }

            if (underway.TryGetValue(result.Partition.Value, out var restoring))
            {
                Take(restoring, result);
            }
        }

        long now = context.Clock.GetTimestamp();
        foreach (var late in underway.Values)
        {
            late.Tell(context.Metrics, now);
            if (context.Clock.GetElapsedTime(late.MovedAt, now) > StallMax)
            {
                throw new LaneFailure(
                    ExitCode.Unavailable,
                    FormattableString.Invariant($"{context.Topics.State} [{late.Partition.Partition}] could not be read beyond offset {late.Offset} of {late.End} for {StallMax.TotalSeconds} s: a transaction stands open there (kafka-transactions.sh find-hanging), and no partition begins on half of its state"));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => consumer.Dispose();

    private void Take(Restoring restoring, ConsumeResult<int, int> result)
    {
        if (result.IsPartitionEOF)
        {
            restoring.Offset = Math.Max(restoring.Offset, result.Offset.Value);
        }
        else
        {
            try
            {
                restoring.Loader.Take(key.Span, value.Span);
            }
            catch (InvalidDataException bad)
            {
                throw new LaneFailure(
                    ExitCode.Data,
                    FormattableString.Invariant($"{context.Topics.State} [{restoring.Partition.Partition}] offset {result.Offset.Value}: {bad.Message}; empty the topic (kafka-delete-records.sh) to have the state rebuilt from the input, or run the build that wrote it"),
                    bad);
            }

            restoring.Offset = result.Offset.Value + 1;
        }

        if (restoring.Offset >= restoring.End)
        {
            restoring.Tell(context.Metrics, context.Clock.GetTimestamp());
            Remove(restoring.Partition);
            Finish(restoring);
        }
    }

    private void Finish(Restoring restoring)
    {
        var partition = restoring.Partition;
        var found = restoring.Loader.Finish(out var mark);
        LogMessages.Restored(context.Logger, lane, partition.Partition, restoring.Loader.Records, found.ToString(), mark.TransactionOffset, context.Clock.GetElapsedTime(restoring.StartedAt).TotalSeconds);
        bool isOurs = restoring.Loader.Group is not { } group || string.Equals(group, context.Clients.Group, StringComparison.Ordinal);
        if (isOurs && Resume(partition, restoring.Loader.Position) is { } resume && found == StateFound.Marked)
        {
            var state = context.Planted.Bug == PlantedBug.StateForgotten ? new PartitionState(context.Service.Plan, partition.Partition) : partition.State;
            if (!ReferenceEquals(state, partition.State))
            {
                state.KeepChangelog();
            }

            assigned.BeginFromMark(partition, state, mark, resume);
            return;
        }

        if (restoring.End > 0 && !context.Admin.TryEmpty(context.Topics.State, new Dictionary<int, long> { [partition.Partition] = restoring.End }))
        {
            throw new LaneFailure(
                ExitCode.Configuration,
                FormattableString.Invariant($"{context.Topics.State} [{partition.Partition}] holds what another run of the service left ({(isOurs ? found.ToString() : "group " + restoring.Loader.Group)}) and could not be emptied: give the worker DELETE on it and the topic cleanup.policy=compact,delete, or empty it (kafka-delete-records.sh)"));
        }

        assigned.BeginFromInput(partition);
    }

    /// <summary>Where answering goes on: the group's offset, checked against what stands in the changelog. Null where neither has one.</summary>
    private StateMark? Resume(PartitionInput partition, StateMark? position)
    {
        var known = partition.Start.Committed;
        if (position is { } written && written.PartitionCount != context.PartitionCount)
        {
            throw new LaneFailure(
                ExitCode.Configuration,
                FormattableString.Invariant($"{context.Topics.State} was written for {written.PartitionCount} partitions of {context.Topics.Transactions}, which has {context.PartitionCount}; a key's state stands in its partition, and keys move with the count: make new topics of {context.PartitionCount} partitions, name them in the definition under another service name, and replay into them"));
        }

        if (position is { } at && known != Offset.Unset && known.Value < at.TransactionOffset)
        {
            throw new LaneFailure(
                ExitCode.Data,
                FormattableString.Invariant($"group {context.Clients.Group} is committed to {known.Value} of {context.Topics.Transactions} [{partition.Partition}], its state to {at.TransactionOffset}: the group's offsets were set back, and going on would answer twice what was answered; set them to {at.TransactionOffset}, or, to answer all again, use another Kafka:Group or empty {context.Topics.State}"));
        }

        return known != Offset.Unset ? new StateMark(known.Value, partition.Start.CommittedLabels, context.PartitionCount) : position;
    }

    private sealed class Restoring(PartitionInput partition, long end, StateLoader loader, long startedAt)
    {
        private long told;

        public PartitionInput Partition { get; } = partition;

        public long End { get; } = end;

        public StateLoader Loader { get; } = loader;

        public long StartedAt { get; } = startedAt;

        public long Offset { get; set; }

        /// <summary>When records were taken last.</summary>
        public long MovedAt { get; private set; } = startedAt;

        /// <summary>Says how far it is: once for many records, which come faster than a gauge is found by its labels.</summary>
        public void Tell(WorkerMetrics metrics, long now)
        {
            MovedAt = Loader.Records > told ? now : MovedAt;
            metrics.StateRecordsRestored.Inc(Loader.Records - told);
            metrics.RestoreRemaining.WithLabels(Partition.Name).Set(Math.Max(0, End - Offset));
            told = Loader.Records;
        }
    }
}
