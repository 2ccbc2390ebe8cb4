using System.Diagnostics;
using Confluent.Kafka;
using Scoring.Benchmarks.Inputs;

namespace Scoring.Benchmarks.Relay;

/// <summary>Events at a steady rate, whatever becomes of them, so that a worker that stands still is charged for every event that waits meanwhile. When each went out is kept.</summary>
/// <param name="servers">Brokers.</param>
/// <param name="topic">Where they go, each into the partition of its account.</param>
/// <param name="stream">The events.</param>
/// <param name="rate">Events a second.</param>
/// <param name="countMax">Most events.</param>
internal sealed class SteadyEvents(string servers, string topic, PaymentEvents stream, int rate, int countMax)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly long[][] sentAt = [.. Enumerable.Range(0, BenchmarkTopics.PartitionCount).Select(_ => new long[countMax])];

    /// <summary>When the n-th event of a partition was handed to the producer, by the stopwatch.</summary>
    public long SentAt(int partition, int ordinal) => Volatile.Read(ref sentAt[partition][ordinal]);

    /// <summary>Sends until all are sent or it is told to stop.</summary>
    public void Send(CancellationToken stopping)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            Acks = Acks.All,
            MessageSendMaxRetries = 0, // Order is what answers are known by. An idempotent one would wait for each batch of a partition, and with it for those of the others.
            LingerMs = 5,
            CompressionType = CompressionType.Lz4,
            QueueBufferingMaxMessages = 10_000_000,
            QueueBufferingMaxKbytes = 1_048_576,
            EnableDeliveryReports = false,
        }).Build();
        var random = new Random(9);
        int[] ends = new int[BenchmarkTopics.PartitionCount];
        long started = Stopwatch.GetTimestamp();
        for (int sent = 0; sent < countMax && !stopping.IsCancellationRequested;)
        {
            int due = Math.Min(countMax, (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * rate));
            for (; sent < due; sent++)
            {
                int account = random.Next(stream.Accounts);
                int partition = account % BenchmarkTopics.PartitionCount;
                byte[] value = stream.Next(account, out byte[] key);
                Volatile.Write(ref sentAt[partition][ends[partition]++], Stopwatch.GetTimestamp());
                producer.Produce(new TopicPartition(topic, partition), new Message<byte[], byte[]> { Key = key, Value = value });
            }

            producer.Poll(TimeSpan.FromMilliseconds(1));
        }

        producer.Flush(Patience);
    }
}
