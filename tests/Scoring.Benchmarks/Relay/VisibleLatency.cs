using System.Diagnostics;
using Confluent.Kafka;
using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Measuring;

namespace Scoring.Benchmarks.Relay;

/// <summary>How long it takes from handing an event to a producer until a reader of committed records has its score.</summary>
/// <remarks>
/// Events go out at a steady rate, whatever becomes of them, so that a worker that stands still is charged for every event that waits meanwhile. Scores of a partition
/// stand in the order of its events, one each: the n-th score is the n-th event's.
/// </remarks>
internal sealed class VisibleLatency : IDisposable
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string servers;
    private readonly string from;
    private readonly string to;
    private readonly int rate;
    private readonly int count;
    private readonly long[][] sentAt;
    private readonly double[] latencies;
    private readonly CancellationTokenSource stop;

    /// <summary>Prepares a run.</summary>
    /// <param name="servers">Brokers.</param>
    /// <param name="from">Topic of the events, empty.</param>
    /// <param name="to">Topic of the scores, empty.</param>
    /// <param name="rate">Events a second.</param>
    /// <param name="measured">How long to measure, after ten seconds of warm-up.</param>
    /// <param name="stopping">Ends it early.</param>
    public VisibleLatency(string servers, string from, string to, int rate, TimeSpan measured, CancellationToken stopping)
    {
        this.servers = servers;
        this.from = from;
        this.to = to;
        this.rate = rate;
        count = (int)(rate * (WarmUp + measured).TotalSeconds);
        sentAt = [.. Enumerable.Range(0, BenchmarkTopics.PartitionCount).Select(_ => new long[count])];
        latencies = new double[count];
        stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    /// <summary>Sends and reads, and gives the middle and the 99th of a hundred, ms.</summary>
    public async Task<(double Median, double High)> RunAsync()
    {
        var reading = Task.Factory.StartNew(Read, stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Factory.StartNew(Send, stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        stop.CancelAfter(Patience);
        double[] measured = await reading;
        Array.Sort(measured);
        return (Ratio.MedianOf(measured), measured[(int)(measured.Length * 0.99)]);
    }

    /// <inheritdoc/>
    public void Dispose() => stop.Dispose();

    private void Send()
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            Acks = Acks.All,
            LingerMs = 1, // Not idempotent: while a request of a partition is on its way such a producer's thread would take a whole core.
            CompressionType = CompressionType.Lz4,
            QueueBufferingMaxMessages = 10_000_000,
            QueueBufferingMaxKbytes = 1_048_576,
            EnableDeliveryReports = false,
        }).Build();
        var stream = new PaymentEvents(seed: 8, accounts: 20_000, merchants: 5_000, stepMicroseconds: 1_000);
        var random = new Random(9);
        int[] ends = new int[BenchmarkTopics.PartitionCount];
        long started = Stopwatch.GetTimestamp();
        for (int sent = 0; sent < count;)
        {
            int due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * rate));
            for (; sent < due; sent++)
            {
                int account = random.Next(stream.Accounts);
                int partition = account % BenchmarkTopics.PartitionCount;
                byte[] value = stream.Next(account, out byte[] key);
                Volatile.Write(ref sentAt[partition][ends[partition]++], Stopwatch.GetTimestamp());
                producer.Produce(new TopicPartition(from, partition), new Message<byte[], byte[]> { Key = key, Value = value });
            }

            producer.Poll(TimeSpan.FromMilliseconds(1));
        }

        producer.Flush(Patience);
    }

    private double[] Read()
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "benchmarks",
            IsolationLevel = IsolationLevel.ReadCommitted,
            FetchWaitMaxMs = 20,
            ConsumeResultFields = "none",
        }).Build();
        consumer.Assign(Enumerable.Range(0, BenchmarkTopics.PartitionCount).Select(partition => new TopicPartitionOffset(to, partition, Offset.Beginning)));
        int[] ends = new int[BenchmarkTopics.PartitionCount];
        for (int seen = 0; seen < count; seen++)
        {
            int partition = consumer.Consume(stop.Token).Partition.Value;
            latencies[seen] = Stopwatch.GetElapsedTime(Volatile.Read(ref sentAt[partition][ends[partition]++])).TotalMilliseconds;
        }

        return latencies[(int)(rate * WarmUp.TotalSeconds)..];
    }
}
