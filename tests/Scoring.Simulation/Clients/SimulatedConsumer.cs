using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>A consumer of committed records as librdkafka's behaves: rebalance handlers run inside <c>Consume</c>, the end of a partition is told once.</summary>
internal sealed class SimulatedConsumer<TKey, TValue> : IConsumer<TKey, TValue>
{
    private readonly World world;
    private readonly Network network;
    private readonly SimulatedBroker broker;
    private readonly SimulatedProcess process;
    private readonly Random random;
    private readonly IDeserializer<TKey> key;
    private readonly IDeserializer<TValue> value;
    private readonly Handlers handlers;
    private readonly string? instanceId;
    private readonly List<(TopicPartition Name, Reading Reading)> readings = [];
    private readonly HashSet<TopicPartition> paused = [];
    private GroupMember? member;
    private Actor? waiter;
    private string topic = "";
    private int turn;
    private bool isClosed;

    /// <summary>Starts with nothing assigned.</summary>
    public SimulatedConsumer(World world, Network network, SimulatedBroker broker, SimulatedProcess process, Random random, string? instanceId, IDeserializer<TKey> key, IDeserializer<TValue> value, Handlers handlers)
    {
        this.world = world;
        this.network = network;
        this.broker = broker;
        this.process = process;
        this.random = random;
        this.instanceId = instanceId;
        this.key = key;
        this.value = value;
        this.handlers = handlers;
    }

    /// <summary>Whether commits of transactions under way are waited for when it tells of the group's offsets.</summary>
    public bool IsStable { get; init; } = true;

    /// <inheritdoc/>
    public Handle Handle { get; } = new();

    /// <inheritdoc/>
    public string Name => process.Name;

    /// <inheritdoc/>
    public string MemberId => member?.Membership.MemberId ?? "";

    /// <inheritdoc/>
    public List<TopicPartition> Assignment => [.. readings.Select(one => one.Name)];

    /// <inheritdoc/>
    public List<string> Subscription => [topic];

    /// <inheritdoc/>
    public IConsumerGroupMetadata ConsumerGroupMetadata
    {
        get
        {
            process.Enter("ConsumerGroupMetadata");
            return member!.Membership;
        }
    }

    /// <inheritdoc/>
    public ConsumeResult<TKey, TValue>? Consume(int millisecondsTimeout)
    {
        process.Enter("Consume");
        waiter = world.Current;
        long wait = millisecondsTimeout * World.Millisecond;
        if (wait < World.Second)
        {
            wait = (long)(wait * (1 + ((world.ThreadsAreLate ? 8 : 4) * random.NextDouble()))); // A machine that has other things to do; and fewer turns of lanes that have nothing.
        }

        for (long deadline = world.Now + wait; ;)
        {
            if (member is { IsFenced: true })
            {
                throw new ConsumeException(new ConsumeResult<byte[], byte[]>(), new Error(ErrorCode.Local_Fatal, "static member fenced by another", isFatal: true));
            }

            if (member is { HasDecided: true })
            {
                member.Serve(Serve);
                return null;
            }

            if (Take() is { } result)
            {
                return result;
            }

            if (world.Now >= deadline)
            {
                return null;
            }

            world.Park(deadline);
        }
    }

    /// <inheritdoc/>
    public ConsumeResult<TKey, TValue> Consume(TimeSpan timeout) => Consume((int)timeout.TotalMilliseconds)!;

    public ConsumeResult<TKey, TValue> Consume(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Subscribe(string topic)
    {
        process.Enter("Subscribe");
        this.topic = topic;
        member = new GroupMember(world, network, broker.Group, process, instanceId, Signal);
    }

    /// <inheritdoc/>
    public void Assign(IEnumerable<TopicPartitionOffset> partitions)
    {
        process.Enter("Assign");
        Unassign();
        IncrementalAssign(partitions);
    }

    /// <inheritdoc/>
    public void IncrementalAssign(IEnumerable<TopicPartitionOffset> partitions)
    {
        process.Enter("IncrementalAssign");
        foreach (var partition in partitions)
        {
            readings.RemoveAll(one => one.Name.Equals(partition.TopicPartition));
            long start = partition.Offset == Offset.Stored ? broker.Group.Offsets.GetValueOrDefault(partition.TopicPartition) : partition.Offset.Value;
            var reading = new Reading(world, network, process, random, broker.Log(partition.TopicPartition), start, Signal) { IsPaused = paused.Contains(partition.TopicPartition) };
            readings.Add((partition.TopicPartition, reading));
        }
    }

    /// <inheritdoc/>
    public void IncrementalUnassign(IEnumerable<TopicPartition> partitions)
    {
        process.Enter("IncrementalUnassign");
        foreach (var partition in partitions)
        {
            Find(partition)?.Close();
            readings.RemoveAll(one => one.Name.Equals(partition));
        }
    }

    /// <inheritdoc/>
    public void Unassign()
    {
        readings.ForEach(one => one.Reading.Close());
        readings.Clear();
    }

    /// <inheritdoc/>
    public void Seek(TopicPartitionOffset tpo)
    {
        process.Enter("Seek");
        var reading = Find(tpo.TopicPartition) ?? throw new KafkaException(new Error(ErrorCode.Local_State, $"{tpo.TopicPartition} is not assigned", isFatal: false));
        reading.Seek(tpo.Offset.Value);
    }

    /// <inheritdoc/>
    public void Pause(IEnumerable<TopicPartition> partitions) => Set(partitions, isPaused: true);

    /// <inheritdoc/>
    public void Resume(IEnumerable<TopicPartition> partitions) => Set(partitions, isPaused: false);

    /// <inheritdoc/>
    public List<TopicPartitionOffset> Committed(IEnumerable<TopicPartition> partitions, TimeSpan timeout)
    {
        process.Enter("Committed");
        List<TopicPartition> asked = [.. partitions];
        for (long deadline = world.Now + timeout.Ticks; ;)
        {
            var left = TimeSpan.FromTicks(deadline - world.Now);
            if (left <= TimeSpan.Zero || !network.TryCall(process, () => IsStable && asked.Exists(broker.Group.IsUnstable) ? null : asked.ConvertAll(Offset), left, out var answer))
            {
                throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "the group did not tell in time", isFatal: false));
            }

            if (answer is not null)
            {
                return answer;
            }

            world.Park(Math.Min(deadline, world.Now + (100 * World.Millisecond))); // UNSTABLE_OFFSET_COMMIT
        }

        TopicPartitionOffset Offset(TopicPartition partition) =>
            new(partition, broker.Group.Offsets.TryGetValue(partition, out long offset) ? offset : Confluent.Kafka.Offset.Unset);
    }

    /// <inheritdoc/>
    public WatermarkOffsets GetWatermarkOffsets(TopicPartition topicPartition) => Find(topicPartition)?.Known ?? new WatermarkOffsets(Offset.Unset, Offset.Unset);

    /// <inheritdoc/>
    public WatermarkOffsets QueryWatermarkOffsets(TopicPartition topicPartition, TimeSpan timeout)
    {
        process.Enter("QueryWatermarkOffsets");
        var log = broker.Log(topicPartition);
        return network.TryCall(process, () => new WatermarkOffsets(log.Start, log.StableEnd), timeout, out var answer)
            ? answer!
            : throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "nobody answered in time", isFatal: false));
    }

    /// <inheritdoc/>
    public void Commit(IEnumerable<TopicPartitionOffset> offsets)
    {
        process.Enter("CommitOffsets");
        List<TopicPartitionOffset> sent = [.. offsets];
        var who = member!.Membership;
        if (!network.TryCall(process, () => broker.Group.Commit(who, sent), TimeSpan.FromSeconds(10), out var code) || code != ErrorCode.NoError)
        {
            throw new KafkaException(new Error(code == ErrorCode.NoError ? ErrorCode.Local_TimedOut : code, $"offsets: {code}", isFatal: false));
        }
    }

    /// <inheritdoc/>
    public void Close()
    {
        process.Enter("Close");
        if (member is not null && readings.Count > 0)
        {
            handlers.Revoked?.Invoke([.. readings.Select(one => new TopicPartitionOffset(one.Name, Offset.Unset))]);
        }

        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!isClosed)
        {
            isClosed = true;
            Unassign();
            member?.Leave();
        }
    }

    public void Subscribe(IEnumerable<string> topics) => throw new NotSupportedException();
    public void Unsubscribe() => throw new NotSupportedException();
    public void Assign(TopicPartition partition) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Assign(TopicPartitionOffset partition) => Assign([partition]);

    public void Assign(IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();
    public void IncrementalAssign(IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();
    public void StoreOffset(ConsumeResult<TKey, TValue> result) => throw new NotSupportedException();
    public void StoreOffset(TopicPartitionOffset offset) => throw new NotSupportedException();
    public List<TopicPartitionOffset> Commit() => throw new NotSupportedException();
    public void Commit(ConsumeResult<TKey, TValue> result) => throw new NotSupportedException();
    public List<TopicPartitionOffset> Committed(TimeSpan timeout) => throw new NotSupportedException();
    public Offset Position(TopicPartition partition) => throw new NotSupportedException();
    public List<TopicPartitionOffset> OffsetsForTimes(IEnumerable<TopicPartitionTimestamp> timestampsToSearch, TimeSpan timeout) => throw new NotSupportedException();

    /// <inheritdoc/>
    public int AddBrokers(string brokers) => 0;

    /// <inheritdoc/>
    public void SetSaslCredentials(string username, string password)
    {
    }

    private void Signal()
    {
        if (waiter is not null)
        {
            world.Wake(waiter);
        }
    }

    private Reading? Find(TopicPartition partition)
    {
        foreach (var (name, reading) in readings)
        {
            if (name.Equals(partition))
            {
                return reading;
            }
        }

        return null;
    }

    private void Set(IEnumerable<TopicPartition> partitions, bool isPaused)
    {
        process.Enter(isPaused ? "Pause" : "Resume");
        foreach (var partition in partitions)
        {
            if (isPaused)
            {
                paused.Add(partition); // Remembered across assignments.
            }
            else
            {
                paused.Remove(partition);
            }

            if (Find(partition) is { } reading)
            {
                reading.IsPaused = isPaused;
            }
        }
    }

    private void Serve(Decision decision, List<int> numbers)
    {
        List<TopicPartition> partitions = numbers.ConvertAll(number => new TopicPartition(topic, number));
        List<TopicPartitionOffset> gone = partitions.ConvertAll(partition => new TopicPartitionOffset(partition, Offset.Unset));
        switch (decision)
        {
            case Decision.Assign:
                IncrementalAssign([.. handlers.Assigned?.Invoke(partitions) ?? []]);
                break;
            case Decision.Revoke:
                handlers.Revoked?.Invoke(gone);
                IncrementalUnassign(partitions);
                break;
            default:
                handlers.Lost?.Invoke(gone);
                IncrementalUnassign(partitions);
                break;
        }
    }

    private ConsumeResult<TKey, TValue>? Take()
    {
        for (int i = 0; i < readings.Count; i++)
        {
            turn = (turn + 1) % readings.Count;
            var (name, reading) = readings[turn];
            if (reading.IsPaused || !reading.TryTake(out long offset, out var record))
            {
                continue;
            }

            var result = new ConsumeResult<TKey, TValue> { Topic = name.Topic, Partition = name.Partition, Offset = offset, IsPartitionEOF = record is null, LeaderEpoch = 0 };
            if (record is not null)
            {
                result.Message = new Message<TKey, TValue>
                {
                    Headers = record.Headers,
                    Timestamp = new Timestamp(record.TimestampMs, TimestampType.CreateTime),
                    Key = key.Deserialize(record.Key, record.Key is null, new SerializationContext(MessageComponentType.Key, name.Topic, record.Headers)),
                    Value = value.Deserialize(record.Value, record.Value is null, new SerializationContext(MessageComponentType.Value, name.Topic, record.Headers)),
                };
            }

            return result;
        }

        return null;
    }

    /// <summary>What the application wants to be told of its group.</summary>
    internal sealed record Handlers(
        Func<List<TopicPartition>, IEnumerable<TopicPartitionOffset>>? Assigned,
        Action<List<TopicPartitionOffset>>? Revoked,
        Action<List<TopicPartitionOffset>>? Lost);
}
