using System.Diagnostics;
using Confluent.Kafka;

namespace Scoring.Benchmarks.Relay;

/// <summary>Reads committed scores as they appear and keeps, for each partition, how long it was silent and when it answered what came after a mark.</summary>
/// <param name="servers">Brokers.</param>
/// <param name="topic">Topic of the scores; read from its end at the time of <see cref="Read"/>.</param>
/// <param name="events">The events that are answered from then on, one score each, in their order.</param>
internal sealed class ScoreWatch(string servers, string topic, SteadyEvents events)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly int[] ends = new int[BenchmarkTopics.PartitionCount];
    private readonly long[] seenAt = new long[BenchmarkTopics.PartitionCount];
    private readonly double[] silentMs = new double[BenchmarkTopics.PartitionCount];
    private readonly double[] answeredMs = new double[BenchmarkTopics.PartitionCount];
    private readonly double[] latencyMs = new double[BenchmarkTopics.PartitionCount];
    private long mark;

    /// <summary>A reader of committed records that keeps nothing of them but where they stand.</summary>
    public static IConsumer<Ignore, Ignore> Reader(string servers) => new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
    {
        BootstrapServers = servers,
        GroupId = "benchmarks",
        IsolationLevel = IsolationLevel.ReadCommitted,
        FetchWaitMaxMs = 20,
        ConsumeResultFields = "none",
    }).Build();

    /// <summary>Sets the mark to now and forgets what was before.</summary>
    public void Mark()
    {
        lock (gate)
        {
            mark = Stopwatch.GetTimestamp();
            Array.Clear(silentMs);
            Array.Fill(answeredMs, double.NaN);
        }
    }

    /// <summary>Waits until every partition has answered an event that was sent after the mark, with less delay than a bound.</summary>
    /// <param name="latencyMsMax">The bound, ms.</param>
    /// <param name="patience">Longest wait.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public async Task<Silence> AnsweredAsync(double latencyMsMax, TimeSpan patience, CancellationToken stopping)
    {
        long started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            lock (gate)
            {
                // One that is silent now has no delay to show.
                if (answeredMs.All(double.IsFinite) && latencyMs.Max() < latencyMsMax && seenAt.Max(at => Stopwatch.GetElapsedTime(at).TotalMilliseconds) < latencyMsMax)
                {
                    return new Silence(answeredMs.Max(), silentMs.Max(), Stopwatch.GetElapsedTime(mark).TotalMilliseconds);
                }
            }

            if (Stopwatch.GetElapsedTime(started) > patience)
            {
                throw new TimeoutException(FormattableString.Invariant($"after {patience.TotalSeconds:F0} s the scores of all partitions are not back: answered after {string.Join(' ', answeredMs.Select(ms => ms.ToString("F0", System.Globalization.CultureInfo.InvariantCulture)))} ms"));
            }

            await timer.WaitForNextTickAsync(stopping);
        }
    }

    /// <summary>Reads until it is told to stop.</summary>
    /// <param name="isReading">Set when it stands at the end of the topic.</param>
    /// <param name="stopping">Ends it.</param>
    public void Read(TaskCompletionSource isReading, CancellationToken stopping)
    {
        using var consumer = Reader(servers);
        consumer.Assign(Enumerable.Range(0, BenchmarkTopics.PartitionCount)
            .Select(partition => new TopicPartition(topic, partition))
            .Select(partition => new TopicPartitionOffset(partition, consumer.QueryWatermarkOffsets(partition, Patience).High))
            .ToList());
        isReading.SetResult();
        try
        {
            while (true)
            {
                int partition = consumer.Consume(stopping).Partition.Value;
                lock (gate)
                {
                    See(partition, Stopwatch.GetTimestamp());
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All is measured.
        }
    }

    private void See(int partition, long now)
    {
        long sentAt = events.SentAt(partition, ends[partition]++);
        latencyMs[partition] = Stopwatch.GetElapsedTime(sentAt, now).TotalMilliseconds;
        if (seenAt[partition] != 0)
        {
            silentMs[partition] = Math.Max(silentMs[partition], Stopwatch.GetElapsedTime(seenAt[partition], now).TotalMilliseconds);
        }

        seenAt[partition] = now;
        if (double.IsNaN(answeredMs[partition]) && sentAt > mark)
        {
            answeredMs[partition] = Stopwatch.GetElapsedTime(mark, now).TotalMilliseconds;
        }
    }

    /// <summary>What a reader of committed scores saw of an interruption; ms.</summary>
    /// <param name="Answered">From the mark until all partitions have answered an event that was sent after it.</param>
    /// <param name="Longest">Longest time that a partition gave no score.</param>
    /// <param name="CaughtUp">From the mark until every partition's scores come with the usual delay again.</param>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    public readonly record struct Silence(double Answered, double Longest, double CaughtUp);
}
