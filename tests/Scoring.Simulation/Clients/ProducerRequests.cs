using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>What the client's own threads do for a producer: requests, one after the other, and asking again.</summary>
internal sealed class ProducerRequests(World world, Network network, SimulatedBroker broker, SimulatedProcess process, Random random, string id, long transactionTimeout)
{
    private readonly List<TopicPartition> order = [];
    private readonly Dictionary<TopicPartition, List<LogRecord>> waiting = [];
    private readonly Dictionary<TopicPartition, int> sequences = [];
    private readonly HashSet<TopicPartition> registered = [];
    private long producerId;
    private short epoch;
    private bool isSending;
    private bool lingers;
    private bool isDisposed;
    private bool mayBeOpen;

    /// <summary>Where the producer is.</summary>
    public ProducerState State { get; set; }

    /// <summary>Why it cannot go on.</summary>
    public Error Failure { get; private set; } = new(ErrorCode.NoError, "", isFatal: false);

    /// <summary>What goes on.</summary>
    public ProducerOperation? Operation { get; set; }

    /// <summary>Records that are not acknowledged.</summary>
    public int Outstanding { get; private set; }

    /// <summary>Who waits for any of it.</summary>
    public Actor? Waiter { get; set; }

    /// <summary>Queues a record; what has lingered is sent.</summary>
    public void Add(TopicPartition target, LogRecord record)
    {
        if (!waiting.TryGetValue(target, out var batch))
        {
            batch = [];
            waiting.Add(target, batch);
            order.Add(target);
        }

        batch.Add(record);
        Outstanding++;
        if (!lingers)
        {
            lingers = true;
            world.At(world.Now + (6 * World.Second), () => process.Defer(() =>
            {
                lingers = false;
                Send();
            }));
        }
    }

    /// <summary>Asks for an identity.</summary>
    public ProducerOperation Initialise() => Begin(InitProducerId);

    /// <summary>Has offsets join the transaction.</summary>
    public ProducerOperation AddOffsets(GroupMembership member, List<TopicPartitionOffset> offsets)
    {
        mayBeOpen = true;
        return Begin(adding => AddOffsets(adding, member, offsets));
    }

    /// <summary>Ends the transaction.</summary>
    public ProducerOperation End(bool isCommit) => Begin(ending => End(ending, isCommit));

    /// <summary>Does nothing more; what is on its way arrives.</summary>
    public void Close()
    {
        isDisposed = true;
        Purge();
    }

    private static ProducerOperation Begin(Action<ProducerOperation> first)
    {
        var begun = new ProducerOperation();
        first(begun);
        return begun;
    }

    private void Done(ProducerOperation done)
    {
        done.IsDone = true;
        Signal();
    }

    private void Signal()
    {
        if (Waiter is not null)
        {
            world.Wake(Waiter);
        }
    }

    private void Fail(ErrorCode code, string reason)
    {
        world.Trace(process.Name, $"{id} is dead: {code}");
        (State, Failure) = (ProducerState.Fatal, new Error(Refusals.IsFence(code) ? ErrorCode.Local_Fenced : code, reason, isFatal: true));
        Purge();
        Outstanding = 0;
        Signal();
    }

    public void Abortable(Error error)
    {
        if (State is ProducerState.Open or ProducerState.Committing)
        {
            (State, Failure) = (ProducerState.Abortable, error);
            Purge();
            Signal();
        }
    }

    /// <summary>Forgets what was not sent.</summary>
    public void Purge()
    {
        Outstanding -= waiting.Values.Sum(batch => batch.Count);
        waiting.Clear();
        order.Clear();
    }

    private void Again(Action what, double least = 400, double most = 600) =>
        world.At(world.Now + (long)((least + (random.NextDouble() * (most - least))) * World.Millisecond), () => process.Defer(what));

    private void InitProducerId(ProducerOperation begun) => network.Ask(
        process,
        RequestKind.InitProducerId,
        () => broker.Transactions.InitProducerId(id, transactionTimeout),
        code => (code, 0, (short)0),
        answer =>
        {
            if (isDisposed)
            {
                return;
            }

            if (answer.Error == ErrorCode.NoError)
            {
                (_, producerId, epoch) = answer;
                world.Trace(process.Name, $"{id} is {producerId}/{epoch}");
                Done(begun);
            }
            else
            {
                Again(() => InitProducerId(begun), answer.Error == ErrorCode.ConcurrentTransactions ? 20 : 400);
            }
        },
        () => Again(() => InitProducerId(begun)));

    /// <summary>Sends what waits, a batch at a time.</summary>
    public void Send()
    {
        if (isDisposed || isSending || State is not (ProducerState.Open or ProducerState.Committing) || order.Count == 0)
        {
            return;
        }

        isSending = true;
        var fresh = order.Where(partition => !registered.Contains(partition)).ToList();
        if (fresh.Count > 0)
        {
            AddPartitions(fresh);
            return;
        }

        var target = order[0];
        order.RemoveAt(0);
        waiting.Remove(target, out var batch);
        int sequence = sequences.GetValueOrDefault(target);
        sequences[target] = sequence + batch!.Count;
        Send(target, sequence, batch);
    }

    private void AddPartitions(List<TopicPartition> fresh)
    {
        mayBeOpen = true;
        network.Ask(
            process,
            RequestKind.AddPartitions,
            () => broker.Transactions.AddPartitions(producerId, epoch, fresh),
            code => code,
            code =>
            {
                if (code == ErrorCode.NoError)
                {
                    fresh.ForEach(partition => registered.Add(partition));
                    Sent();
                }
                else if (Refusals.IsRetriable(code))
                {
                    Retry(code == ErrorCode.ConcurrentTransactions ? 20 : 400);
                }
                else
                {
                    Refuse(code);
                }
            },
            () => Retry(400));

        void Retry(double least) => Again(
            () =>
            {
                if (State is ProducerState.Open or ProducerState.Committing && !isDisposed)
                {
                    AddPartitions(fresh);
                }
                else
                {
                    Sent();
                }
            },
            least,
            least + 20);
    }

    private void Send(TopicPartition target, int sequence, List<LogRecord> batch)
    {
        if (isDisposed)
        {
            return;
        }

        network.Ask(
            process,
            RequestKind.Produce,
            () => broker.Produce(target, producerId, epoch, sequence, batch),
            code => code,
            code =>
            {
                if (code == ErrorCode.NoError)
                {
                    Outstanding -= batch.Count;
                    Sent();
                }
                else if (Refusals.IsRetriable(code))
                {
                    Again(() => Send(target, sequence, batch));
                }
                else
                {
                    Outstanding -= batch.Count;
                    Refuse(code);
                }
            },
            () => Again(() => Send(target, sequence, batch)));
    }

    private void Sent()
    {
        isSending = false;
        Signal();
        Send();
        if (!isSending && Operation is { Continue: { } next } under && Outstanding == 0)
        {
            under.Continue = null;
            next();
        }
    }

    private void Refuse(ErrorCode code)
    {
        if (Refusals.IsFence(code) || code == ErrorCode.OutOfOrderSequenceNumber)
        {
            isSending = false;
            Fail(code, $"the broker said {code}");
            if (Operation is { } failed)
            {
                Done(failed);
            }

            return;
        }

        Abortable(new Error(code, $"the broker said {code}", isFatal: false));
        if (Operation is { Continue: not null } under && State == ProducerState.Abortable)
        {
            under.Continue = null;
            Done(under); // A commit that cannot be.
        }

        Sent();
    }

    private void AddOffsets(ProducerOperation adding, GroupMembership member, List<TopicPartitionOffset> offsets) => network.Ask(
        process,
        RequestKind.AddOffsets,
        () => broker.Transactions.AddPartitions(producerId, epoch, [SimulatedBroker.OffsetsPartition]),
        code => code,
        code => Step(adding, code, () => AddOffsets(adding, member, offsets), () => CommitOffsets(adding, member, offsets)),
        () => Step(adding, ErrorCode.NotCoordinatorForGroup, () => AddOffsets(adding, member, offsets), () => { }));

    private void CommitOffsets(ProducerOperation adding, GroupMembership member, List<TopicPartitionOffset> offsets) => network.Ask(
        process,
        RequestKind.TxnOffsetCommit,
        () => broker.CommitOffsets(producerId, epoch, member, offsets),
        code => code,
        code => Step(adding, code, () => CommitOffsets(adding, member, offsets), () => Done(adding)),
        () => Step(adding, ErrorCode.NotCoordinatorForGroup, () => CommitOffsets(adding, member, offsets), () => { }));

    private void Step(ProducerOperation adding, ErrorCode code, Action again, Action next)
    {
        if (adding.IsGivenUp || isDisposed)
        {
            return;
        }

        if (code == ErrorCode.NoError)
        {
            next();
        }
        else if (Refusals.IsRetriable(code))
        {
            Again(() =>
            {
                if (!adding.IsGivenUp && !isDisposed)
                {
                    again();
                }
            });
        }
        else if (Refusals.IsFence(code))
        {
            Fail(code, $"offsets: {code}");
            Done(adding);
        }
        else
        {
            Abortable(new Error(code, $"offsets: {code}", isFatal: false));
            Done(adding);
        }
    }

    private void End(ProducerOperation ending, bool isCommit)
    {
        if (Outstanding > 0 || isSending)
        {
            ending.Continue = () => End(ending, isCommit);
            Send();
            return;
        }

        if (!mayBeOpen)
        {
            Done(ending);
            return;
        }

        EndTxn(ending, isCommit);
    }

    private void EndTxn(ProducerOperation ending, bool isCommit) => network.Ask(
        process,
        RequestKind.EndTxn,
        () => broker.Transactions.End(producerId, epoch, isCommit),
        code => code,
        code =>
        {
            if (isDisposed)
            {
                return;
            }

            if (code == ErrorCode.NoError)
            {
                registered.Clear();
                mayBeOpen = false;
                Done(ending);
            }
            else if (Refusals.IsRetriable(code))
            {
                Again(() => EndTxn(ending, isCommit), code == ErrorCode.ConcurrentTransactions ? 20 : 400, code == ErrorCode.ConcurrentTransactions ? 40 : 600);
            }
            else if (Refusals.IsFence(code) || code == ErrorCode.InvalidTxnState)
            {
                Fail(code, $"the end of the transaction: {code}");
                Done(ending);
            }
            else if (isCommit)
            {
                (State, Failure) = (ProducerState.Abortable, new Error(code, $"the end of the transaction: {code}", isFatal: false));
                Done(ending);
            }
            else
            {
                Again(() => EndTxn(ending, isCommit));
            }
        },
        () =>
        {
            if (!isDisposed)
            {
                Again(() => EndTxn(ending, isCommit));
            }
        });
}
