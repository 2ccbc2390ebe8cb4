using Confluent.Kafka;
using Scoring.Models.Features;
using Scoring.Worker.Checkpoints;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Reads the state of partitions that came to the lane from its topic, a little in every cycle, so that the lane stays in its group meanwhile.</summary>
/// <remarks>
/// Read is up to the end of the topic as a reader of everything sees it, by one that is given committed records only: a transaction that is
/// being ended is waited for. The end that a reader of committed records is told lies before such a transaction, and state up to there is stale.
/// <para>Where the worker's disk has a checkpoint, that is loaded first, beside the lane, and of the topic only what came since is read. One that turns out to be damaged, or of no mark, is as none.</para>
/// </remarks>
internal sealed class StateRestorer : IDisposable
{
    private const int RecordsPerStep = 4_000;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Longest that a disk is waited for: then the topic is read.</summary>
    private static readonly TimeSpan LoadMax = TimeSpan.FromSeconds(60);

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
            var restoring = new Restoring(partition, ends[partition.Partition], partition.State, context.Clock.GetTimestamp());
            if (restoring.End == 0)
            {
                Finish(restoring);
                continue;
            }

            underway[partition.Partition] = restoring;
            if (context.Checkpoints is { } folder && FirstRetained(partition) is { } low)
            {
                restoring.Load(folder, low, context.Clock);
            }
            else
            {
                Read(restoring, from: Offset.Beginning);
            }
        }
    }

    /// <summary>Gives a partition up.</summary>
    public void Remove(PartitionInput partition)
    {
        if (underway.Remove(partition.Partition, out var restoring))
        {
            GiveUp(restoring);
        }
    }

    /// <summary>Takes what is there, bounded.</summary>
    /// <exception cref="LaneFailure">A record cannot be read, or one that is due does not come.</exception>
    public void Step()
    {
        while (NextLoaded() is { } restoring)
        {
            restoring.Take(restoring.Loading is { IsCompletedSuccessfully: true, Result: { } checkpoint } ? checkpoint : null, assigned);
            Read(restoring, restoring.Checkpoint is { } from ? from.Offset : Offset.Beginning);
        }

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
            if (late.Loading is null && context.Clock.GetElapsedTime(late.MovedAt, now) > StallMax)
            {
                throw new LaneFailure(
                    ExitCode.Unavailable,
                    FormattableString.Invariant($"{context.Topics.State} [{late.Partition.Partition}] could not be read beyond offset {late.Offset} of {late.End} for {StallMax.TotalSeconds} s: a transaction stands open there (kafka-transactions.sh find-hanging), and no partition begins on half of its state"));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var restoring in underway.Values)
        {
            restoring.StopLoading();
        }

        consumer.Dispose();
    }

    /// <summary>First retained offset of a partition's state; null where the broker does not tell at once.</summary>
    private long? FirstRetained(PartitionInput partition)
    {
        try
        {
            return consumer.QueryWatermarkOffsets(new TopicPartition(context.Topics.State, partition.Partition), CallTimeout).Low.Value;
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    private Restoring? NextLoaded()
    {
        foreach (var restoring in underway.Values)
        {
            if (restoring.Loading is { } loading && (loading.IsCompleted || context.Clock.GetElapsedTime(restoring.StartedAt) > LoadMax))
            {
                return restoring;
            }
        }

        return null;
    }

    private void Read(Restoring restoring, Offset from)
    {
        restoring.Offset = Math.Max(0, from.Value);
        if (restoring.Offset >= restoring.End)
        {
            Remove(restoring.Partition);
            Finish(restoring);
            return;
        }

        restoring.IsRead = true;
        restoring.MovedAt = context.Clock.GetTimestamp();
        Fetching.Assign(consumer, new TopicPartitionOffset(context.Topics.State, restoring.Partition.Partition, from));
    }

    private void GiveUp(Restoring restoring)
    {
        restoring.StopLoading();
        if (restoring.IsRead)
        {
            restoring.IsRead = false;
            consumer.IncrementalUnassign([new TopicPartition(context.Topics.State, restoring.Partition.Partition)]);
        }
    }

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

    /// <summary>Reads all of the topic after a checkpoint has led nowhere.</summary>
    private void ReadAll(Restoring restoring)
    {
        restoring.StartOver(assigned.Empty(restoring.Partition.Partition));
        underway[restoring.Partition.Partition] = restoring;
        Read(restoring, Offset.Beginning);
    }

    private void Finish(Restoring restoring)
    {
        var partition = restoring.Partition;
        var found = restoring.Loader.Finish(out var mark);
        if (restoring.Checkpoint is not null && found != StateFound.Marked)
        {
            context.Checkpoints!.Refused(partition.Partition, "the topic has no mark since");
            ReadAll(restoring);
            return;
        }

        LogMessages.Restored(context.Logger, lane, partition.Partition, restoring.Loader.Records, found.ToString(), mark.TransactionOffset, context.Clock.GetElapsedTime(restoring.StartedAt).TotalSeconds);
        bool isOurs = restoring.Loader.Group is not { } group || string.Equals(group, context.Clients.Group, StringComparison.Ordinal);
        StateMark? resume = null;
        if (isOurs)
        {
            partition.Excluded.UnionWith(restoring.Loader.Excluded);
            bool isOfTheseLabels = IsOfTheseLabels(partition, restoring.Loader.Sources);
            found = isOfTheseLabels || found == StateFound.Nothing ? found : StateFound.OtherDefinition;
            resume = Resume(partition, restoring.Loader.Position, isOfTheseLabels);
        }

        if (resume is { } from && found == StateFound.Marked)
        {
            var state = context.Planted.Bug == PlantedBug.StateForgotten ? assigned.Empty(partition.Partition) : restoring.State;
            assigned.BeginFromMark(partition, state, mark, from);
            return;
        }

        if (restoring.End > 0 && !context.Admin.TryEmpty(context.Topics.State, new Dictionary<int, long> { [partition.Partition] = restoring.End }))
        {
            throw new LaneFailure(
                ExitCode.Configuration,
                FormattableString.Invariant($"{context.Topics.State} [{partition.Partition}] holds what another run of the service left ({(isOurs ? found.ToString() : "group " + restoring.Loader.Group)}) and could not be emptied: give the worker DELETE on it and the topic cleanup.policy=compact,delete, or empty it (kafka-delete-records.sh)"));
        }

        if (resume is { } answered)
        {
            assigned.BeginFromInput(partition, answered);
        }
        else
        {
            assigned.BeginFromInput(partition);
        }
    }

    /// <summary>Whether what a state has of labels comes from the topic that they are read from: else the input tells it once more, with these.</summary>
    /// <exception cref="LaneFailure">It is of other transactions: an offset of theirs says nothing about what is answered of these.</exception>
    private bool IsOfTheseLabels(PartitionInput partition, StateSources? sources)
    {
        if (sources is not { } told)
        {
            return true; // As builds that did not say it took it.
        }

        if (!string.Equals(told.Transactions, context.Topics.Transactions, StringComparison.Ordinal))
        {
            throw new LaneFailure(
                ExitCode.Configuration,
                FormattableString.Invariant($"{context.Topics.State} [{partition.Partition}] is of transactions of {told.Transactions}, the definition names {context.Topics.Transactions}: how far the one is answered says nothing about the other; give the service another name, or, to answer {context.Topics.Transactions} from its beginning, empty {context.Topics.State} (kafka-delete-records.sh)"));
        }

        if (told.Labels.Length == 0 || !context.ReadsLabels || string.Equals(told.Labels, context.Topics.Labels, StringComparison.Ordinal))
        {
            return true; // Whether labels are counted at all is a matter of its features.
        }

        LogMessages.LabelsOfAnother(context.Logger, lane, partition.Partition, told.Labels, context.Topics.Labels);
        return false;
    }

    /// <summary>Where answering goes on: the group's offsets, checked against what stands in the changelog, or that, of what the broker has forgotten. Null where neither has one.</summary>
    private StateMark? Resume(PartitionInput partition, StateMark? position, bool isOfTheseLabels)
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
            if (assigned.CommittedNow(partition.Source).Value >= at.TransactionOffset)
            {
                // This lane stood still after it had asked; what it read of the state is another owner's meanwhile.
                throw new LaneFailure(
                    ExitCode.Unavailable,
                    FormattableString.Invariant($"{context.Topics.Transactions} [{partition.Partition}] went on from {known.Value} to {at.TransactionOffset} at another owner while this lane was taking it over; starting again is enough"));
            }

            throw new LaneFailure(
                ExitCode.Data,
                FormattableString.Invariant($"group {context.Clients.Group} is committed to {known.Value} of {context.Topics.Transactions} [{partition.Partition}], its state to {at.TransactionOffset}: the group's offsets were set back, and going on would answer twice what was answered; set them to {at.TransactionOffset}, or, to answer all again, use another Kafka:Group or empty {context.Topics.State}"));
        }

        var (transactions, labels) = (known, partition.Start.CommittedLabels);
        transactions = transactions == Offset.Unset && position is not null ? position.Value.TransactionOffset : transactions;
        labels = labels == Offset.Unset && position is not null && isOfTheseLabels ? position.Value.LabelOffset : labels;
        return transactions == Offset.Unset ? null : new StateMark(transactions.Value, Math.Max(0, labels.Value), context.PartitionCount);
    }

    private sealed class Restoring(PartitionInput partition, long end, PartitionState state, long startedAt)
    {
        private long told;
        private volatile bool isGivenUp;

        public PartitionInput Partition { get; } = partition;

        public long End { get; } = end;

        public PartitionState State { get; private set; } = state;

        public StateLoader Loader { get; private set; } = new(state);

        public long StartedAt { get; } = startedAt;

        public long Offset { get; set; }

        /// <summary>Whether the reader has it.</summary>
        public bool IsRead { get; set; }

        /// <summary>The checkpoint that was loaded, or null; no task where none is being loaded.</summary>
        public Task<CheckpointHeader?>? Loading { get; private set; }

        /// <summary>The checkpoint that it began from.</summary>
        public CheckpointHeader? Checkpoint { get; private set; }

        /// <summary>When records were taken last.</summary>
        public long MovedAt { get; set; } = startedAt;

        /// <summary>Looks for a checkpoint and loads it, beside the lane.</summary>
        public void Load(CheckpointFolder folder, long low, TimeProvider clock)
        {
            var (loader, shape) = (Loader, State.Shape); // One that is given up goes on with these.
            Loading = Task.Run(() =>
            {
                long started = clock.GetTimestamp();
                try
                {
                    using var checkpoint = folder.Find(Partition.Partition, shape, low, End);
                    if (checkpoint is null)
                    {
                        return null;
                    }

                    checkpoint.LoadInto(loader, () => isGivenUp);
                    folder.Loaded(Partition.Partition, loader.Records, checkpoint.Header.Offset, clock.GetElapsedTime(started));
                    return checkpoint.Header;
                }
                catch (Exception unusable) when (unusable is IOException or InvalidDataException)
                {
                    folder.Refused(Partition.Partition, unusable.Message);
                    return null;
                }
                catch (OperationCanceledException)
                {
                    return null; // Given up: nobody asks.
                }
            });
        }

        /// <summary>Ends the loading with what it has come to.</summary>
        public void Take(CheckpointHeader? loaded, AssignedPartitions assigned)
        {
            if (loaded is null)
            {
                StopLoading();
                StartOver(assigned.Empty(Partition.Partition));
                return;
            }

            (Checkpoint, Loading) = (loaded, null);
            told = Loader.Records; // Of the file, not of the topic.
        }

        /// <summary>Nothing is loaded any more, after a block at most; a disk that does not answer is left to itself.</summary>
        public void StopLoading()
        {
            isGivenUp = true;
            if (Loading is { } loading)
            {
                Task.WaitAny([loading], CallTimeout);
                Loading = null;
            }
        }

        /// <summary>Forgets what was loaded.</summary>
        public void StartOver(PartitionState empty)
        {
            (State, Loader, Checkpoint) = (empty, new StateLoader(empty), null);
            (told, Offset) = (0, 0);
        }

        /// <summary>Says how far it is: once for many records, which come faster than a gauge is found by its labels.</summary>
        public void Tell(WorkerMetrics metrics, long now)
        {
            if (Loading is not null)
            {
                return; // Another thread counts.
            }

            MovedAt = Loader.Records > told ? now : MovedAt;
            metrics.StateRecordsRestored.Inc(Loader.Records - told);
            metrics.RestoreRemaining.WithLabels(Partition.Name).Set(Math.Max(0, End - Offset));
            told = Loader.Records;
        }
    }
}
