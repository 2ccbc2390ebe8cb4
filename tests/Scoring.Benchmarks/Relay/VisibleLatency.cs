using System.Diagnostics;
using Confluent.Kafka;
using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Measuring;

namespace Scoring.Benchmarks.Relay;

/// <summary>How long it takes from handing an event to a producer until a reader of committed records has its score.</summary>
/// <remarks>Scores of a partition stand in the order of its events, one each: the n-th score is the n-th event's.</remarks>
internal sealed class VisibleLatency : IDisposable
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string servers;
    private readonly string to;
    private readonly int rate;
    private readonly SteadyEvents events;
    private readonly double[] latencies;
    private readonly CancellationTokenSource stop;
    private readonly TaskCompletionSource warm = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
        this.to = to;
        this.rate = rate;
        int count = (int)(rate * (WarmUp + measured).TotalSeconds);
        events = new SteadyEvents(servers, from, new PaymentEvents(seed: 8, accounts: 20_000, merchants: 5_000, stepMicroseconds: 1_000), rate, count);
        latencies = new double[count];
        stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    /// <summary>Ends when the measuring begins.</summary>
    public Task WarmedUp => warm.Task;

    /// <summary>Sends and reads, and gives the middle and the 99th of a hundred, ms.</summary>
    public async Task<(double Median, double High)> RunAsync()
    {
        var reading = Task.Factory.StartNew(Read, stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Factory.StartNew(() => events.Send(stop.Token), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        stop.CancelAfter(Patience);
        double[] measured = await reading;
        Array.Sort(measured);
        return (Ratio.MedianOf(measured), measured[(int)(measured.Length * 0.99)]);
    }

    /// <inheritdoc/>
    public void Dispose() => stop.Dispose();

    private double[] Read()
    {
        using var consumer = ScoreWatch.Reader(servers);
        consumer.Assign(Enumerable.Range(0, BenchmarkTopics.PartitionCount).Select(partition => new TopicPartitionOffset(to, partition, Offset.Beginning)));
        int[] ends = new int[BenchmarkTopics.PartitionCount];
        int unmeasured = (int)(rate * WarmUp.TotalSeconds);
        for (int seen = 0; seen < latencies.Length; seen++)
        {
            if (seen == unmeasured)
            {
                warm.TrySetResult();
            }

            int partition = consumer.Consume(stop.Token).Partition.Value;
            latencies[seen] = Stopwatch.GetElapsedTime(events.SentAt(partition, ends[partition]++)).TotalMilliseconds;
        }

        return latencies[unmeasured..];
    }
}
