using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.Benchmarks.Inputs;

namespace Scoring.Benchmarks.Relay;

/// <summary>The topics of one run: made, filled, counted and removed.</summary>
internal sealed class BenchmarkTopics : IDisposable
{
    /// <summary>Partitions of every topic.</summary>
    public const int PartitionCount = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IAdminClient admin;
    private readonly IConsumer<Ignore, Ignore> reader;
    private readonly Dictionary<string, IConsumer<Ignore, Ignore>> groups = new(StringComparer.Ordinal);
    private readonly string servers;
    private readonly string[] names;

    private BenchmarkTopics(string servers, string[] names)
    {
        this.servers = servers;
        this.names = names;
        admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
        reader = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = servers, GroupId = "benchmarks" }).Build();
    }

    /// <summary>Makes topics that are not there yet.</summary>
    public static async Task<BenchmarkTopics> CreateAsync(string servers, params string[] names)
    {
        var topics = new BenchmarkTopics(servers, names);
        await topics.admin.CreateTopicsAsync(names.Select(name => new TopicSpecification { Name = name, NumPartitions = PartitionCount, ReplicationFactor = 1 }));
        return topics;
    }

    /// <summary>Topics that are there.</summary>
    public static BenchmarkTopics Of(string servers, params string[] names) => new(servers, names);

    /// <summary>Writes events, each into the partition of its account.</summary>
    /// <param name="topic">An empty topic.</param>
    /// <param name="stream">The events.</param>
    /// <param name="accounts">Whose event is next.</param>
    public void Fill(string topic, PaymentEvents stream, IEnumerable<int> accounts)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 20,
            CompressionType = CompressionType.Lz4,
            EnableDeliveryReports = false,
        }).Build();
        int count = 0;
        foreach (int account in accounts)
        {
            count++;
            byte[] value = stream.Next(account, out byte[] key);
            while (true)
            {
                try
                {
                    producer.Produce(new TopicPartition(topic, account % PartitionCount), new Message<byte[], byte[]> { Key = key, Value = value });
                    break;
                }
                catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(10));
                }
            }
        }

        producer.Flush(Patience);
        if (Count(topic) != count)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"{topic} holds {Count(topic)} of {count} events"));
        }
    }

    /// <summary>Records of a topic.</summary>
    public long Count(string topic) =>
        Enumerable.Range(0, PartitionCount).Sum(partition => reader.QueryWatermarkOffsets(new TopicPartition(topic, partition), Patience).High.Value);

    /// <summary>Records of a topic that a group has committed: what it has done, whatever markers stand between its outputs.</summary>
    public long Committed(string group, string topic)
    {
        if (!groups.TryGetValue(group, out var committed))
        {
            committed = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = servers, GroupId = group, IsolationLevel = IsolationLevel.ReadUncommitted }).Build();
            groups.Add(group, committed);
        }

        return committed.Committed(Enumerable.Range(0, PartitionCount).Select(partition => new TopicPartition(topic, partition)), Patience).Sum(partition => Math.Max(0, partition.Offset.Value));
    }

    /// <summary>Mean length of the first values of a topic, bytes.</summary>
    public int MeanValueBytes(string topic)
    {
        const int Sample = 1_000;
        using var values = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig { BootstrapServers = servers, GroupId = "benchmarks" }).Build();
        values.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        long bytes = 0;
        for (int i = 0; i < Sample; i++)
        {
            var read = values.Consume(Patience) ?? throw new InvalidOperationException($"{topic} gives no more records");
            bytes += read.Message.Value.Length;
        }

        return (int)(bytes / Sample);
    }

    /// <summary>Removes the topics.</summary>
    public Task RemoveAsync() => admin.DeleteTopicsAsync(names);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var committed in groups.Values)
        {
            committed.Dispose();
        }

        reader.Dispose();
        admin.Dispose();
    }
}
