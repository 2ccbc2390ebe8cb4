using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>A transactional producer as librdkafka's behaves: it asks again by itself, sends when it is flushed or has lingered, and goes on with a call that was given up.</summary>
internal sealed class SimulatedProducer(World world, Network network, SimulatedBroker broker, SimulatedProcess process, Random random, string id, long transactionTimeout) : IProducer<byte[], byte[]>
{
    private static readonly Error TimedOut = new(ErrorCode.Local_TimedOut, "timed out", isFatal: false);

    private readonly ProducerRequests requests = new(world, network, broker, process, random, id, transactionTimeout);


    /// <inheritdoc/>
    public Handle Handle { get; } = new();

    /// <inheritdoc/>
    public string Name => id;

    /// <inheritdoc/>
    public void InitTransactions(TimeSpan timeout)
    {
        process.Enter("InitTransactions");
        requests.Operation ??= requests.Initialise();
        Finish(timeout, retriable: true);
        requests.State = ProducerState.Ready;
    }

    /// <inheritdoc/>
    public void BeginTransaction()
    {
        process.Enter("BeginTransaction");
        if (requests.State != ProducerState.Ready)
        {
            throw new KafkaException(requests.State is ProducerState.Fatal or ProducerState.Abortable ? requests.Failure : new Error(ErrorCode.Local_State, $"no transaction can begin in state {requests.State}", isFatal: false));
        }

        requests.State = ProducerState.Open;
    }

    /// <inheritdoc/>
    public void Produce(TopicPartition topicPartition, Message<byte[], byte[]> message, Action<DeliveryReport<byte[], byte[]>>? deliveryHandler = null)
    {
        process.Enter("Produce");
        if (requests.State != ProducerState.Open)
        {
            var error = requests.State == ProducerState.Fatal ? requests.Failure : new Error(ErrorCode.Local_State, $"nothing can be produced in state {requests.State}", isFatal: false);
            throw new ProduceException<byte[], byte[]>(error, new DeliveryResult<byte[], byte[]> { TopicPartitionOffset = new TopicPartitionOffset(topicPartition, Offset.Unset) });
        }

        long timeMs = message.Timestamp.Type == TimestampType.NotAvailable ? world.Now / World.Millisecond : message.Timestamp.UnixTimestampMs;
        requests.Add(topicPartition, new LogRecord(message.Key?.ToArray(), message.Value?.ToArray(), Copy(message.Headers), timeMs));
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
        requests.Send();
        if (timeout > TimeSpan.Zero)
        {
            Wait(() => requests.Outstanding == 0, timeout);
        }

        return requests.Outstanding;
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
        var sending = requests.AddOffsets(member, sent);
        requests.Operation = sending;
        if (!Wait(() => sending.IsDone, timeout))
        {
            sending.IsGivenUp = true;
            requests.Operation = null;
            requests.Abortable(TimedOut);
        }
        else
        {
            requests.Operation = null;
        }

        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public void CommitTransaction(TimeSpan timeout)
    {
        process.Enter("Commit");
        if (requests.Operation is null)
        {
            ThrowIfFailed();
            requests.State = ProducerState.Committing;
            requests.Operation = requests.End(isCommit: true);
        }

        Finish(timeout, retriable: true);
        ThrowIfFailed();
        requests.State = ProducerState.Ready;
    }

    /// <inheritdoc/>
    public void AbortTransaction(TimeSpan timeout)
    {
        process.Enter("Abort");
        if (requests.State == ProducerState.Fatal)
        {
            throw new KafkaException(requests.Failure);
        }

        if (requests.State == ProducerState.Committing && requests.Operation is { IsDone: false })
        {
            throw new KafkaRetriableException(new Error(ErrorCode.Local_Conflict, "a commit is under way", isFatal: false));
        }

        if (requests.State != ProducerState.Aborting)
        {
            requests.Operation = null;
            requests.State = ProducerState.Aborting;
            requests.Purge();
            requests.Operation = requests.End(isCommit: false);
        }

        Finish(timeout, retriable: true);
        if (requests.State == ProducerState.Fatal)
        {
            throw new KafkaException(requests.Failure);
        }

        requests.State = ProducerState.Ready;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        requests.Close();
    }

    public Task<DeliveryResult<byte[], byte[]>> ProduceAsync(string topic, Message<byte[], byte[]> message, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    public Task<DeliveryResult<byte[], byte[]>> ProduceAsync(TopicPartition topicPartition, Message<byte[], byte[]> message, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    public void Produce(string topic, Message<byte[], byte[]> message, Action<DeliveryReport<byte[], byte[]>>? deliveryHandler = null) => throw new NotSupportedException();
    public void Flush(CancellationToken cancellationToken = default) => throw new NotSupportedException();
    public void CommitTransaction() => throw new NotSupportedException();
    public void AbortTransaction() => throw new NotSupportedException();

    /// <inheritdoc/>
    public int AddBrokers(string brokers) => 0;

    /// <inheritdoc/>
    public void SetSaslCredentials(string username, string password)
    {
    }

    private bool Wait(Func<bool> isDone, TimeSpan timeout)
    {
        requests.Waiter = world.Current;
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

    /// <summary>Waits for the requests.Operation; one that is not done goes on, and is waited for by the same call again.</summary>
    private void Finish(TimeSpan timeout, bool retriable)
    {
        var waited = requests.Operation!;
        if (!Wait(() => waited.IsDone, timeout))
        {
            throw retriable ? new KafkaRetriableException(TimedOut) : new KafkaException(TimedOut);
        }

        requests.Operation = null;
    }

    private void ThrowIfFailed()
    {
        switch (requests.State)
        {
            case ProducerState.Fatal:
                throw new KafkaException(requests.Failure);
            case ProducerState.Abortable:
                throw new KafkaTxnRequiresAbortException(requests.Failure);
        }
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
}
