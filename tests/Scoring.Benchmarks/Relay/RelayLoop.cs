using Confluent.Kafka;

namespace Scoring.Benchmarks.Relay;

/// <summary>Consume, produce: the least that a .NET service on Confluent.Kafka does for a record, with the worker's own client settings.</summary>
internal static class RelayLoop
{
    /// <summary>Copies until told to stop.</summary>
    public static void Run(string servers, string from, string to, CancellationToken stopping)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Reading(servers, from)).Build();
        using var producer = new ProducerBuilder<byte[], byte[]>(Writing(servers)).Build();
        consumer.Subscribe(from);
        var message = new Message<byte[], byte[]>();
        while (!stopping.IsCancellationRequested)
        {
            if (consumer.Consume(50) is not { IsPartitionEOF: false } read)
            {
                continue;
            }

            message.Key = read.Message.Key;
            message.Value = read.Message.Value;
            while (!TryProduce(producer, new TopicPartition(to, read.Partition), message))
            {
                producer.Poll(TimeSpan.FromMilliseconds(10));
            }
        }

        producer.Flush(TimeSpan.FromSeconds(5));
        consumer.Close();
    }

    private static bool TryProduce(IProducer<byte[], byte[]> producer, TopicPartition target, Message<byte[], byte[]> message)
    {
        try
        {
            producer.Produce(target, message);
            return true;
        }
        catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    private static ConsumerConfig Reading(string servers, string from)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "relay." + from,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AutoCommitIntervalMs = 100,
            IsolationLevel = IsolationLevel.ReadCommitted,
            EnablePartitionEof = true,
            FetchWaitMaxMs = 50,
            ConsumeResultFields = "headers,timestamp",
        };
        config.Set("fetch.queue.backoff.ms", "5");
        return config;
    }

    private static ProducerConfig Writing(string servers) => new()
    {
        BootstrapServers = servers,
        Acks = Acks.All,
        EnableIdempotence = true,
        LingerMs = 2,
        CompressionType = CompressionType.Lz4,
        QueueBufferingMaxMessages = 1_000_000,
        QueueBufferingMaxKbytes = 262_144,
        EnableDeliveryReports = false,
    };
}
