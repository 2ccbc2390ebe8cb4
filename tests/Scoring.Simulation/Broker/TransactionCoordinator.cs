using Confluent.Kafka;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Broker;

/// <summary>Kafka's coordinator of transactions, first protocol: EndTxn names no transaction, so a late one ends whichever is open.</summary>
/// <remarks>Markers are written to each partition at a time of its own, after the producer was told that its transaction has ended.</remarks>
internal sealed class TransactionCoordinator(World world, SimulatedBroker broker, BrokerPace pace)
{
    private readonly Dictionary<string, State> states = new(StringComparer.Ordinal);
    private readonly Dictionary<long, State> byProducer = [];
    private long nextProducerId = 1_000;

    private enum Status
    {
        Empty,
        Ongoing,
        Ending,
        Ended,
    }

    /// <summary>Whether any transaction is not decided everywhere.</summary>
    public bool HasOpen => states.Values.Any(state => state.Status is Status.Ongoing or Status.Ending);

    /// <summary>When all markers of the transactions that have been decided so far are written.</summary>
    public long MarkedBy { get; private set; }

    /// <summary>Gives a producer its identity, and shuts out the one that had the identifier; once that one's transaction is decided.</summary>
    public (ErrorCode Error, long ProducerId, short Epoch) InitProducerId(string id, long timeout)
    {
        if (!states.TryGetValue(id, out var state))
        {
            state = new State { ProducerId = nextProducerId++, Epoch = -1, Timeout = timeout };
            states.Add(id, state);
            byProducer.Add(state.ProducerId, state);
        }

        switch (state.Status)
        {
            case Status.Ongoing:
                state.Epoch++; // What the earlier producer still sends is refused from now on.
                End(state, isCommit: false);
                return (ErrorCode.ConcurrentTransactions, 0, 0);
            case Status.Ending:
                return (ErrorCode.ConcurrentTransactions, 0, 0);
            default:
                state.Epoch++;
                state.Status = Status.Empty;
                return (ErrorCode.NoError, state.ProducerId, state.Epoch);
        }
    }

    /// <summary>Takes partitions into the producer's transaction, which begins with the first.</summary>
    public ErrorCode AddPartitions(long producerId, short epoch, IEnumerable<TopicPartition> partitions)
    {
        if (Find(producerId, epoch, out var error) is not { } state)
        {
            return error;
        }

        if (state.Status == Status.Ending)
        {
            return ErrorCode.ConcurrentTransactions;
        }

        if (state.Status != Status.Ongoing)
        {
            state.Status = Status.Ongoing;
            state.Partitions.Clear();
            long began = state.Began = world.Now;
            world.At(world.Now + state.Timeout + pace.TimeoutCheck(), () => TimeOut(state, began));
        }

        foreach (var partition in partitions)
        {
            state.Partitions.Add(partition);
        }

        return ErrorCode.NoError;
    }

    /// <summary>Whether a partition stands in the producer's transaction: what brokers since 3.6 ask before they begin one in a log.</summary>
    public ErrorCode Verify(long producerId, short epoch, TopicPartition partition) =>
        Find(producerId, epoch, out var error) is not { } state ? error
        : state.Status == Status.Ongoing && state.Partitions.Contains(partition) ? ErrorCode.NoError
        : ErrorCode.InvalidTxnState;

    /// <summary>Ends the producer's transaction; markers follow.</summary>
    public ErrorCode End(long producerId, short epoch, bool isCommit)
    {
        if (Find(producerId, epoch, out var error) is not { } state)
        {
            return error;
        }

        switch (state.Status)
        {
            case Status.Ongoing:
                End(state, isCommit);
                return ErrorCode.NoError;
            case Status.Ending when state.IsCommit == isCommit:
                return ErrorCode.ConcurrentTransactions;
            case Status.Ended when state.IsCommit == isCommit:
                return ErrorCode.NoError; // Asked again.
            default:
                return ErrorCode.InvalidTxnState;
        }
    }

    private State? Find(long producerId, short epoch, out ErrorCode error)
    {
        var state = byProducer.GetValueOrDefault(producerId);
        error = state is null ? ErrorCode.InvalidProducerIdMapping : epoch == state.Epoch ? ErrorCode.NoError : ErrorCode.InvalidProducerEpoch;
        return error == ErrorCode.NoError ? state : null;
    }

    private void TimeOut(State state, long began)
    {
        if (state.Status == Status.Ongoing && state.Began == began)
        {
            state.Epoch++;
            End(state, isCommit: false);
        }
    }

    private void End(State state, bool isCommit)
    {
        (state.Status, state.IsCommit) = (Status.Ending, isCommit);
        var (producerId, epoch) = (state.ProducerId, state.Epoch);
        world.Trace("broker", $"{(isCommit ? "commits" : "aborts")} {producerId}/{epoch}");
        if (!isCommit && pace.LosesMarkers())
        {
            world.Trace("broker", $"leaves {producerId}/{epoch} open in {string.Join(", ", state.Partitions)}");
            world.At(world.Now + pace.Step(), () => state.Status = Status.Ended);
            return;
        }

        state.MarkersLeft = state.Partitions.Count;
        foreach (var partition in state.Partitions)
        {
            long markedAt = world.Now + pace.Marker();
            MarkedBy = Math.Max(MarkedBy, markedAt);
            world.At(markedAt, () =>
            {
                broker.Mark(partition, producerId, epoch, isCommit);
                if (--state.MarkersLeft == 0)
                {
                    world.At(world.Now + pace.Step(), () => state.Status = Status.Ended);
                }
            });
        }
    }

    private sealed class State
    {
        public required long ProducerId { get; init; }

        public short Epoch { get; set; }

        public required long Timeout { get; init; }

        public Status Status { get; set; }

        public bool IsCommit { get; set; }

        public long Began { get; set; }

        public int MarkersLeft { get; set; }

        public SortedSet<TopicPartition> Partitions { get; } = new(Comparer<TopicPartition>.Create((a, b) => a.CompareTo(b)));
    }
}
