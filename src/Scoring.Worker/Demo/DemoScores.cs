using Confluent.Kafka;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Demo;

/// <summary>Reads what the worker publishes, as any subscriber would: scores into the ledger, and alerts counted beside them.</summary>
internal sealed class DemoScores : IDisposable
{
    private const int FileBufferBytes = 1 << 20;

    private static readonly TimeSpan PollTimeout = TimeSpan.FromMilliseconds(100);

    private readonly IConsumer<Ignore, byte[]> scores;
    private readonly IConsumer<Ignore, byte[]> alerts;
    private readonly FileStream? kept;
    private readonly CancellationTokenSource stop = new();
    private readonly Task[] readers;
    private long count;
    private long alertCount;

    /// <summary>Reads both topics from their beginning, on two threads, until it is disposed.</summary>
    /// <param name="clients">Connect.</param>
    /// <param name="topics">Name the topics.</param>
    /// <param name="partitionCount">Partitions of each.</param>
    /// <param name="ledger">Takes the scores of live payments.</param>
    /// <param name="keepPath">File that takes them too, as they were read, a line each; absent: none.</param>
    public DemoScores(KafkaClients clients, ServiceTopics topics, int partitionCount, DemoLedger ledger, string? keepPath)
    {
        kept = keepPath is null ? null : new FileStream(keepPath, FileMode.Create, FileAccess.Write, FileShare.Read, FileBufferBytes);
        scores = Reader(clients, topics.Scores, partitionCount);
        alerts = Reader(clients, topics.Alerts, partitionCount);
        readers =
        [
            Read(scores, value =>
            {
                if (ledger.Answer(DemoAnswer.Read(value)) && kept is not null)
                {
                    kept.Write(value);
                    kept.WriteByte((byte)'\n');
                }

                Interlocked.Increment(ref count);
            }),
            Read(alerts, _ => Interlocked.Increment(ref alertCount)),
        ];
    }

    /// <summary>Scores read.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Alerts read, of the history too.</summary>
    public long AlertCount => Interlocked.Read(ref alertCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        stop.Cancel();
        Task.WhenAll(readers).ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        scores.Dispose();
        alerts.Dispose();
        kept?.Dispose();
        stop.Dispose();
    }

    private static IConsumer<Ignore, byte[]> Reader(KafkaClients clients, string topic, int partitionCount)
    {
        var consumer = clients.HandReader<Ignore, byte[]>("none", queuedKb: 16_384).Build();
        consumer.Assign(Enumerable.Range(0, partitionCount).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        return consumer;
    }

    private Task Read(IConsumer<Ignore, byte[]> consumer, Action<byte[]> take) => Task.Factory.StartNew(
        () =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (consumer.Consume(PollTimeout) is { IsPartitionEOF: false } result)
                {
                    take(result.Message.Value);
                }
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
