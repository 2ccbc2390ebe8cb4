using Confluent.Kafka;
using Scoring.Faults.Service;

namespace Scoring.Faults.Measuring;

/// <summary>A subscriber of the scores, committed records only: when did each partition last speak, and how long was it silent at most?</summary>
internal sealed class Witness : IAsyncDisposable
{
    private readonly TimeProvider clock = TimeProvider.System;
    private readonly Lock gate = new();
    private readonly long[] lastHeard = new long[FaultService.PartitionCount];
    private readonly CancellationTokenSource stop = new();
    private readonly Task listening;
    private TimeSpan longestSilence;
    private long heard;

    private Witness(string bootstrapServers, string topic) =>
        listening = Task.Factory.StartNew(() => Listen(bootstrapServers, topic), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Begins to listen; silence counts from a partition's first score on.</summary>
    public static Witness Of(string bootstrapServers, string topic) => new(bootstrapServers, topic);

    /// <summary>Longest time between two scores of one partition so far.</summary>
    public TimeSpan LongestSilence
    {
        get
        {
            lock (gate)
            {
                return longestSilence;
            }
        }
    }

    /// <summary>Scores, from the topic's beginning on.</summary>
    public long Heard
    {
        get
        {
            lock (gate)
            {
                return heard;
            }
        }
    }

    /// <summary>Whether every partition has spoken since a moment.</summary>
    /// <param name="since">Of <see cref="TimeProvider.GetTimestamp"/>.</param>
    public bool AllHeardSince(long since)
    {
        lock (gate)
        {
            return lastHeard.All(heard => heard > since);
        }
    }

    /// <summary>Whether a partition has spoken since a moment.</summary>
    public bool IsHeardSince(int partition, long since)
    {
        lock (gate)
        {
            return lastHeard[partition] > since;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await listening;
        stop.Dispose();
    }

    private void Listen(string bootstrapServers, string topic)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "witness",
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            FetchWaitMaxMs = 50,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, FaultService.PartitionCount).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } score)
                {
                    Hear(score.Partition.Value);
                }
            }
            catch (ConsumeException error) when (!error.Error.IsFatal)
            {
                // A broker is away, as it was told to be.
            }
        }
    }

    private void Hear(int partition)
    {
        long now = clock.GetTimestamp();
        lock (gate)
        {
            if (lastHeard[partition] != 0 && clock.GetElapsedTime(lastHeard[partition], now) is var silence && silence > longestSilence)
            {
                longestSilence = silence;
            }

            lastHeard[partition] = now;
            heard++;
        }
    }
}
