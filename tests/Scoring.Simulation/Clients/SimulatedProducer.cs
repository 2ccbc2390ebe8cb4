using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>A transactional producer as librdkafka's behaves: it asks again by itself, sends when it is flushed or a second is over, and goes on with a call that was given up.</summary>
internal sealed class SimulatedProducer(World world, Network network, SimulatedBroker broker, SimulatedProcess process, Random random, string id, long transactionTimeout) : IProducer<byte[], byte[]>
{
    private static readonly Error TimedOut = new(ErrorCode.Local_TimedOut, "timed out", isFatal: false);

    /// <summary>Nothing wakes the client's own flush earlier.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(10);

    private readonly List<TopicPartition> order = [];
    private readonly Dictionary<TopicPartition, List<LogRecord>> waiting = [];
    private readonly Dictionary<TopicPartition, int> sequences = [];
    private readonly HashSet<TopicPartition> registered = [];
    private State state = State.New;
    private Error failure = new(ErrorCode.NoError, "", isFatal: false);
    private Operation? operation;
    private Actor? waiter;
    private long producerId;
    private short epoch;
    private int outstanding;
    private bool isSending;
    private bool lingers;
    private bool isDisposed;
    private bool mayBeOpen;

    private enum State
    {
        New,
        Ready,
        Open,
        Committing,
        Aborting,
        Abortable,
        Fatal,
    }

    /// <inheritdoc/>
    public Handle Handle { get; } = new();

    /// <inheritdoc/>
    public string Name => id;

    /// <inheritdoc/>
    public void InitTransactions(TimeSpan timeout)
    {
        process.Enter("InitTransactions");
        operation ??= Begin(new Operation(), InitProducerId);
        Finish(timeout, retriable: true);
        state = State.Ready;
    }

    /// <inheritdoc/>
    public void BeginTransaction()
    {
        process.Enter("BeginTransaction");
        if (state != State.Ready)
        {
            throw new KafkaException(state == State.Fatal ? failure : new Error(ErrorCode.Local_State, $"no transaction can begin in state {state}", isFatal: false));
        }

        state = State.Open;
    }

    /// <inheritdoc/>
    public void Produce(TopicPartition topicPartition, Message<byte[], byte[]> message, Action<DeliveryReport<byte[], byte[]>>? deliveryHandler = null)
    {
        process.Enter("Produce");
        if (state != State.Open)
        {
            var error = state == State.Fatal ? failure : new Error(ErrorCode.Local_State, $"nothing can be produced in state {state}", isFatal: false);
            throw new ProduceException<byte[], byte[]>(error, new DeliveryResult<byte[], byte[]> { TopicPartitionOffset = new TopicPartitionOffset(topicPartition, Offset.Unset) });
        }

        if (!waiting.TryGetValue(topicPartition, out var batch))
        {
            batch = [];
            waiting.Add(topicPartition, batch);
            order.Add(topicPartition);
        }

        long timeMs = message.Timestamp.Type == TimestampType.NotAvailable ? world.Now / World.Millisecond : message.Timestamp.UnixTimestampMs;
        batch.Add(new LogRecord(message.Key?.ToArray(), message.Value?.ToArray(), Copy(message.Headers), timeMs));
        outstanding++;
        if (!lingers)
        {
            lingers = true;
            world.At(world.Now + World.Second, () => process.Defer(() =>
            {
                lingers = false;
                Pump();
            }));
        }
    }

    /// <inheritdoc/>
    public int Poll(TimeSpan timeout)
    {
        process.Enter("Poll");
        if (timeout > TimeSpan.Zero)
        {
            world.Park(world.Now + timeout.Ticks);
        }

        return 0;
    }

    /// <inheritdoc/>
    public int Flush(TimeSpan timeout)
    {
        process.Enter("Flush");
        Pump();
        Wait(() => outstanding == 0, timeout < LookAgain ? LookAgain : timeout);
        return outstanding;
    }

    /// <inheritdoc/>
    public void SendOffsetsToTransaction(IEnumerable<TopicPartitionOffset> offsets, IConsumerGroupMetadata groupMetadata, TimeSpan timeout)
    {
        process.Enter("SendOffsets");
        ThrowIfFailed();
        List<TopicPartitionOffset> sent = [.. offsets];
        if (sent.Count == 0)
        {
            return;
        }

        var member = (GroupMembership)groupMetadata;
        mayBeOpen = true;
        var sending = Begin(new Operation(), adding => AddOffsets(adding, member, sent));
        operation = sending;
        if (!Wait(() => sending.IsDone, timeout))
        {
            sending.IsGivenUp = true;
            operation = null;
            Abortable(TimedOut);
        }
        else
        {
            operation = null;
        }

        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public void CommitTransaction(TimeSpan timeout)
    {
        process.Enter("Commit");
        if (operation is null)
        {
            ThrowIfFailed();
            state = State.Committing;
            operation = Begin(new Operation(), committing => End(committing, isCommit: true));
        }

        Finish(timeout, retriable: true);
        ThrowIfFailed();
        state = State.Ready;
    }

    /// <inheritdoc/>
    public void AbortTransaction(TimeSpan timeout)
    {
        process.Enter("Abort");
        if (state == State.Fatal)
        {
            throw new KafkaException(failure);
        }

        if (state == State.Committing && operation is { IsDone: false })
        {
            throw new KafkaRetriableException(new Error(ErrorCode.Local_Conflict, "a commit is under way", isFatal: false));
        }

        if (state != State.Aborting)
        {
            operation = null;
            state = State.Aborting;
            Purge();
            operation = Begin(new Operation(), aborting => End(aborting, isCommit: false));
        }

        Finish(timeout, retriable: true);
        if (state == State.Fatal)
        {
            throw new KafkaException(failure);
        }

        state = State.Ready;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        isDisposed = true;
        Purge();
    }

    /// <inheritdoc/>
    public Task<DeliveryResult<byte[], byte[]>> ProduceAsync(string topic, Message<byte[], byte[]> message, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<DeliveryResult<byte[], byte[]>> ProduceAsync(TopicPartition topicPartition, Message<byte[], byte[]> message, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Produce(string topic, Message<byte[], byte[]> message, Action<DeliveryReport<byte[], byte[]>>? deliveryHandler = null) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Flush(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void CommitTransaction() => throw new NotSupportedException();

    /// <inheritdoc/>
    public void AbortTransaction() => throw new NotSupportedException();

    /// <inheritdoc/>
    public int AddBrokers(string brokers) => 0;

    /// <inheritdoc/>
    public void SetSaslCredentials(string username, string password)
    {
    }

    private static Headers? Copy(Headers? source)
    {
        if (source is null)
        {
            return null;
        }

        var copy = new Headers();
        for (int i = 0; i < source.Count; i++)
        {
            copy.Add(source[i].Key, source[i].GetValueBytes()?.ToArray()!);
        }

        return copy;
    }

    private static Operation Begin(Operation begun, Action<Operation> first)
    {
        first(begun);
        return begun;
    }

    private bool Wait(Func<bool> isDone, TimeSpan timeout)
    {
        waiter = world.Current;
        for (long deadline = world.Now + timeout.Ticks; !isDone();)
        {
            if (world.Now >= deadline)
            {
                return false;
            }

            world.Park(deadline);
        }

        return true;
    }

    /// <summary>Waits for the operation; one that is not done goes on, and is waited for by the same call again.</summary>
    private void Finish(TimeSpan timeout, bool retriable)
    {
        var waited = operation!;
        if (!Wait(() => waited.IsDone, timeout))
        {
            throw retriable ? new KafkaRetriableException(TimedOut) : new KafkaException(TimedOut);
        }

        operation = null;
    }

    private void ThrowIfFailed()
    {
        switch (state)
        {
            case State.Fatal:
                throw new KafkaException(failure);
            case State.Abortable:
                throw new KafkaTxnRequiresAbortException(failure);
        }
    }

    private void Done(Operation done)
    {
        done.IsDone = true;
        Signal();
    }

    private void Signal()
    {
        if (waiter is not null)
        {
            world.Wake(waiter);
        }
    }

    private void Fatal(ErrorCode code, string reason)
    {
        world.Trace(process.Name, $"{id} is dead: {code}");
        (state, failure) = (State.Fatal, new Error(Refusals.IsFence(code) ? ErrorCode.Local_Fenced : code, reason, isFatal: true));
        Purge();
        outstanding = 0;
        Signal();
    }

    private void Abortable(Error error)
    {
        if (state is State.Open or State.Committing)
        {
            (state, failure) = (State.Abortable, error);
            Purge();
            Signal();
        }
    }

    /// <summary>Forgets what was not sent.</summary>
    private void Purge()
    {
        outstanding -= waiting.Values.Sum(batch => batch.Count);
        waiting.Clear();
        order.Clear();
    }

    private void Again(Action what, double least = 400, double most = 600) =>
        world.At(world.Now + (long)((least + (random.NextDouble() * (most - least))) * World.Millisecond), () => process.Defer(what));

    private void InitProducerId(Operation begun) => network.Ask(
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
    private void Pump()
    {
        if (isDisposed || isSending || state is not (State.Open or State.Committing) || order.Count == 0)
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
                if (state is State.Open or State.Committing && !isDisposed)
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
                    outstanding -= batch.Count;
                    Sent();
                }
                else if (Refusals.IsRetriable(code))
                {
                    Again(() => Send(target, sequence, batch));
                }
                else
                {
                    outstanding -= batch.Count;
                    Refuse(code);
                }
            },
            () => Again(() => Send(target, sequence, batch)));
    }

    private void Sent()
    {
        isSending = false;
        Signal();
        Pump();
        if (!isSending && operation is { Continue: { } next } under && outstanding == 0)
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
            Fatal(code, $"the broker said {code}");
            if (operation is { } failed)
            {
                Done(failed);
            }

            return;
        }

        Abortable(new Error(code, $"the broker said {code}", isFatal: false));
        if (operation is { Continue: not null } under && state == State.Abortable)
        {
            under.Continue = null;
            Done(under); // A commit that cannot be.
        }

        Sent();
    }

    private void AddOffsets(Operation adding, GroupMembership member, List<TopicPartitionOffset> offsets) => network.Ask(
        process,
        RequestKind.AddOffsets,
        () => broker.Transactions.AddPartitions(producerId, epoch, [SimulatedBroker.OffsetsPartition]),
        code => code,
        code => Step(adding, code, () => AddOffsets(adding, member, offsets), () => CommitOffsets(adding, member, offsets)),
        () => Step(adding, ErrorCode.NotCoordinatorForGroup, () => AddOffsets(adding, member, offsets), () => { }));

    private void CommitOffsets(Operation adding, GroupMembership member, List<TopicPartitionOffset> offsets) => network.Ask(
        process,
        RequestKind.TxnOffsetCommit,
        () => broker.CommitOffsets(producerId, epoch, member, offsets),
        code => code,
        code => Step(adding, code, () => CommitOffsets(adding, member, offsets), () => Done(adding)),
        () => Step(adding, ErrorCode.NotCoordinatorForGroup, () => CommitOffsets(adding, member, offsets), () => { }));

    private void Step(Operation adding, ErrorCode code, Action again, Action next)
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
            Fatal(code, $"offsets: {code}");
            Done(adding);
        }
        else
        {
            Abortable(new Error(code, $"offsets: {code}", isFatal: false));
            Done(adding);
        }
    }

    private void End(Operation ending, bool isCommit)
    {
        if (outstanding > 0 || isSending)
        {
            ending.Continue = () => End(ending, isCommit);
            Pump();
            return;
        }

        if (!mayBeOpen)
        {
            Done(ending);
            return;
        }

        EndTxn(ending, isCommit);
    }

    private void EndTxn(Operation ending, bool isCommit) => network.Ask(
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
                Fatal(code, $"the end of the transaction: {code}");
                Done(ending);
            }
            else if (isCommit)
            {
                (state, failure) = (State.Abortable, new Error(code, $"the end of the transaction: {code}", isFatal: false));
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

    private sealed class Operation
    {
        public bool IsDone { get; set; }

        public bool IsGivenUp { get; set; }

        public Action? Continue { get; set; }
    }
}
