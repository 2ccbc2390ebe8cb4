using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>A lane's reader of transactions: the member of the consumer group.</summary>
/// <remarks>
/// Rebalance handlers run inside <see cref="Read"/>, on the lane's thread. They note what happened and never throw: an
/// exception from one makes the client drop its whole assignment and stay in the group without working.
/// </remarks>
internal sealed class TransactionInput : IDisposable
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastCallTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Clients whose last call was late. They stay reachable: librdkafka 2.16 may not end in the finaliser of one, and then no other runs and a core spins.</summary>
    private static readonly ConcurrentBag<IDisposable> Abandoned = [];

    private readonly KafkaClients clients;
    private readonly IConsumer<int, Refusal> consumer;
    private readonly TransactionDeserializer deserializer;
    private readonly string topic;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly HashSet<TopicPartition> held = [];
    private string heldAs = "";
    private Task background = Task.CompletedTask;
    private bool isClosing;

    /// <summary>Joins the group.</summary>
    /// <param name="clients">Builds the consumer.</param>
    /// <param name="topic">The topic of transactions.</param>
    /// <param name="lane">Number of the lane.</param>
    /// <param name="decoder">Decodes the events.</param>
    /// <param name="batch">Where rows are begun.</param>
    /// <param name="readsHistory">Whether a partition is read from its beginning, to rebuild state.</param>
    /// <param name="keepsValues">Whether the bytes of good events are kept until the next is read, too.</param>
    /// <param name="assigning">Told which partitions come, before their offsets are asked for; its exceptions are noted.</param>
    /// <param name="beforeRevoke">Told which partitions go while they are still ours; its exceptions are noted.</param>
    /// <param name="lost">Told which partitions are another's already; its exceptions are noted.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="logger">Says errors.</param>
    public TransactionInput(KafkaClients clients, string topic, int lane, EventDecoder decoder, TransactionBatch batch, bool readsHistory, bool keepsValues, Action<IReadOnlyList<TopicPartition>> assigning, Action<IReadOnlyList<TopicPartition>> beforeRevoke, Action<IReadOnlyList<TopicPartition>> lost, WorkerMetrics metrics, ILogger logger)
    {
        this.clients = clients;
        this.topic = topic;
        this.metrics = metrics;
        this.logger = logger;
        deserializer = new TransactionDeserializer(decoder, batch, Value) { KeepsAll = keepsValues };
        consumer = clients.GroupReader<int, Refusal>(lane)
            .SetKeyDeserializer(Key)
            .SetValueDeserializer(deserializer)
            .SetPartitionsAssignedHandler((_, partitions) =>
            {
                HasAssignment = true;
                Hold(partitions);
                Tell(() => assigning(partitions));
                Rebalances.Enqueue(new Rebalance(RebalanceKind.Assigned, partitions));
                return partitions.Select(partition => new TopicPartitionOffset(partition, readsHistory ? Offset.Beginning : Offset.Stored));
            })
            .SetPartitionsRevokedHandler((_, offsets) =>
            {
                List<TopicPartition> gone = [.. offsets.Select(offset => offset.TopicPartition)];
                Tell(() => beforeRevoke(gone));
                held.ExceptWith(gone);
                Rebalances.Enqueue(new Rebalance(RebalanceKind.Revoked, gone));
            })
            .SetPartitionsLostHandler((_, offsets) =>
            {
                List<TopicPartition> gone = [.. offsets.Select(offset => offset.TopicPartition)];
                Tell(() => lost(gone));
                held.ExceptWith(gone);
                Rebalances.Enqueue(new Rebalance(RebalanceKind.Lost, gone));
            })
            .Build();
        consumer.Subscribe(topic);
    }

    /// <summary>Key of the record read last.</summary>
    public RecordBuffer Key { get; } = new();

    /// <summary>Value of the record read last, if it was refused or all are kept.</summary>
    public RecordBuffer Value { get; } = new();

    /// <summary>From now on the bytes of good events are kept until the next is read, too.</summary>
    public void KeepValues() => deserializer.KeepsAll = true;

    /// <summary>What the group has decided and the lane has not followed yet.</summary>
    public Queue<Rebalance> Rebalances { get; } = new();

    /// <summary>Whether the group has spoken at all.</summary>
    public bool HasAssignment { get; private set; }

    /// <summary>Members of events read so far that the definition does not name.</summary>
    public long UnknownMembers => deserializer.UnknownMembers;

    /// <summary>What failed inside a handler.</summary>
    public Exception? HandlerFailure { get; private set; }

    /// <summary>Reads one record into the next row of the batch.</summary>
    /// <returns>Null when there is none, or when the group has decided something.</returns>
    /// <exception cref="LaneFailure">The client has lost its place in the group for good.</exception>
    public ConsumeResult<int, Refusal>? Read(int waitMs, long nowMs)
    {
        deserializer.NowMs = nowMs;
        try
        {
            return consumer.Consume(waitMs);
        }
        catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
        {
            metrics.ReadErrors.Inc();
            LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
            return null;
        }
        catch (ConsumeException error) when (error.Error.IsFatal || error.Error.Code == ErrorCode.Local_Fatal)
        {
            // A broker that was away may take the client's new connection for another member, so it is worth starting again; if there is another, both say this in turns.
            throw new LaneFailure(ExitCode.Unavailable, $"the lane cannot go on as a member of its group ({error.Error.Reason}); if another process runs with the same Kafka:InstanceId, give each its own, else starting again is enough", error);
        }
    }

    /// <summary>Offsets the group has committed, for both inputs; <see cref="Offset.Unset"/> where none.</summary>
    public List<TopicPartitionOffset> Committed(IEnumerable<TopicPartition> partitions) => consumer.Committed(partitions, CallTimeout);

    /// <summary>First retained offset and end of a partition.</summary>
    public WatermarkOffsets Retained(TopicPartition partition) => consumer.QueryWatermarkOffsets(partition, CallTimeout);

    /// <summary>End of a partition as the last fetch told it, or <see cref="Offset.Unset"/>.</summary>
    public Offset KnownEnd(TopicPartition partition) => consumer.GetWatermarkOffsets(partition).High;

    /// <summary>First retained offset of a partition as the last fetch told it; negative before the first one.</summary>
    public Offset KnownStart(TopicPartition partition) => consumer.GetWatermarkOffsets(partition).Low;

    /// <summary>Commits to the group in the background, one commit at a time; the offsets of labels too, although their partitions are assigned by hand.</summary>
    public Task Commit(IReadOnlyList<TopicPartitionOffset> offsets) => background = clients.InBackground(() => consumer.Commit(offsets));

    /// <summary>Commits to the group before it goes on.</summary>
    /// <exception cref="KafkaException">It is not committed.</exception>
    public void CommitNow(IReadOnlyList<TopicPartitionOffset> offsets) => consumer.Commit(offsets);

    /// <summary>The lane's membership as of now: what offsets in a transaction are checked against.</summary>
    /// <remarks>
    /// A member whose session ends while its application is being told of a rebalance is told of no loss: librdkafka 2.16 skips that, joins anew and keeps what it had. The group
    /// would take offsets of the new member for partitions that have long been another's. So it must be the member that they were given to. Names never come back:
    /// one that is the same after the membership was asked for was the same then.
    /// </remarks>
    /// <exception cref="TransactionBroken">The group has forgotten the lane; what it lost it is told at the next poll.</exception>
    /// <exception cref="LaneFailure">The lane is another member than the one that its partitions were given to.</exception>
    public IConsumerGroupMetadata Member
    {
        get
        {
            var member = consumer.ConsumerGroupMetadata;
            string name = consumer.MemberId;
            if (held.Count == 0 || string.Equals(name, heldAs, StringComparison.Ordinal))
            {
                return member;
            }

            throw name.Length == 0
                ? new TransactionBroken("the group has forgotten the lane")
                : new LaneFailure(ExitCode.Unavailable, "the lane has lost its place in its group and has another since, without having been told what it lost; starting again is enough");
        }
    }

    /// <summary>Reads a partition again from <see cref="PartitionInput.RewindOffset"/>; what the client has fetched ahead is dropped.</summary>
    public void Seek(PartitionInput input) => Seek(input, input.RewindOffset);

    /// <summary>Reads a partition from an offset on.</summary>
    public void Seek(PartitionInput input, long offset)
    {
        try
        {
            consumer.Seek(new TopicPartitionOffset(input.Source, offset));
        }
        catch (KafkaException error) when (error.Error.Code is ErrorCode.Local_State or ErrorCode.Local_UnknownPartition)
        {
            // The group takes it away at this moment: its new owner reads from the committed offset.
            LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
        }
    }

    /// <summary>Whether a record is the next of its partition. Else the client was sent back (docs/decisions/0028): it is set to where that is seen, or to where it stood.</summary>
    /// <exception cref="LaneFailure">The record that was read last is gone.</exception>
    public bool IsNext(PartitionInput input, long offset, int? leaderEpoch, Timestamp timestamp) =>
        Follow(input.Last.Look(offset, leaderEpoch, timestamp.UnixTimestampMs, out long readFrom), input, offset, readFrom, isEnd: false);

    /// <summary>The same of an end.</summary>
    /// <exception cref="LaneFailure">The record that was read last is gone.</exception>
    public bool IsNextEnd(PartitionInput input, long offset) => Follow(input.Last.LookAtEnd(offset, out long readFrom), input, offset, readFrom, isEnd: true);

    /// <summary>Stops fetching a partition; what the client has fetched ahead of it is fetched again later.</summary>
    public void Pause(PartitionInput input)
    {
        input.IsPaused = true;
        consumer.Pause([input.Source]);
    }

    /// <summary>Stops fetching partitions that came just now.</summary>
    public void Hold(IEnumerable<TopicPartition> partitions)
    {
        try
        {
            consumer.Pause(partitions);
        }
        catch (KafkaException error)
        {
            LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason); // Gone again.
        }
    }

    /// <summary>Fetches a partition again.</summary>
    public void Resume(PartitionInput input)
    {
        input.IsPaused = false;
        consumer.Resume([input.Source]);
    }

    /// <summary>Has the client look at once for what it may fetch again.</summary>
    /// <param name="partition">One of the partitions.</param>
    public void FetchNow(TopicPartition partition) => Fetching.Wake(consumer, partition);

    /// <summary>Leaves the group, within a bound. Everything is committed: what the group takes away meanwhile needs no answer.</summary>
    /// <returns>False when it was not done in time; then the group notices when the session ends.</returns>
    public bool Close(TimeSpan bound)
    {
        isClosing = true;
        background = clients.InBackground(consumer.Close);
        return Task.WaitAny([background], bound) >= 0 && background.IsCompletedSuccessfully;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A call that does not come back still uses the client; the process is ending and takes it along.
        if (Task.WaitAny([background], LastCallTimeout) >= 0)
        {
            consumer.Dispose();
        }
        else
        {
            Abandoned.Add(consumer);
        }
    }

    private bool Follow(LastRecord.Place place, PartitionInput input, long offset, long readFrom, bool isEnd)
    {
        switch (place)
        {
            case LastRecord.Place.Next when isEnd || offset >= input.ReceivedOffset:
                return true;
            case LastRecord.Place.Next: // A record where the log had ended, behind what is committed.
            case LastRecord.Place.Gone:
                throw new LaneFailure(
                    ExitCode.Configuration,
                    FormattableString.Invariant($"{topic} [{input.Partition}] went back from offset {input.ReceivedOffset} to {offset}: the topic was made anew, or its broker has lost what it had acknowledged; reset the group's offsets or use another Kafka:Group"));
            case LastRecord.Place.Sought when input.Last.IsFirstLook:
                LogMessages.SentBack(logger, topic, input.Partition, input.Last.Position, offset);
                break;
        }

        Seek(input, readFrom);
        return false;
    }

    /// <summary>Notes as which member partitions were given to the lane; the client joins nothing else before it has told that.</summary>
    private void Hold(List<TopicPartition> partitions)
    {
        heldAs = held.Count == 0 ? consumer.MemberId : heldAs;
        held.UnionWith(partitions);
    }

    /// <summary>Calls the lane from inside the client: see the remarks.</summary>
    private void Tell(Action lane)
    {
        if (isClosing)
        {
            return;
        }

        try
        {
            lane();
        }
        catch (Exception failure) // Noted, thrown by the lane outside of the client.
        {
            HandlerFailure ??= failure;
        }
    }
}

/// <summary>What a consumer group decided.</summary>
internal enum RebalanceKind
{
    /// <summary>Partitions came.</summary>
    Assigned,

    /// <summary>Partitions go; they were ours until now.</summary>
    Revoked,

    /// <summary>Partitions are another's already.</summary>
    Lost,
}

/// <summary>One decision of the consumer group.</summary>
/// <param name="Kind">What.</param>
/// <param name="Partitions">Which; may be none.</param>
internal sealed record Rebalance(RebalanceKind Kind, IReadOnlyList<TopicPartition> Partitions);
