using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.State;

/// <summary>The worker's one reader of the aggregates topic: every partition of it, from its beginning, for as long as the process lives.</summary>
internal sealed class AggregatesReader : IDisposable
{
    private readonly RecordBuffer key = new();
    private readonly RecordBuffer value = new();
    private readonly string topic;
    private readonly AggregatesLedger ledger;
    private readonly IReadOnlyDictionary<int, long> restoreTo;
    private readonly TimeProvider clock;
    private readonly bool isNew;
    private readonly IConsumer<int, int> consumer;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly Thread thread;
    private readonly TaskCompletionSource restored = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Prepares the reader.</summary>
    /// <param name="clients">Builds the consumer.</param>
    /// <param name="topic">The aggregates topic.</param>
    /// <param name="endOffsets">Of every partition, open transactions counted: what must be read before a lane may start.</param>
    /// <param name="isNew">Whether the group starts anew: what stands on the topic is an earlier run's and is passed over.</param>
    /// <param name="ledger">Where records go.</param>
    /// <param name="clock">Tells the ledger that the process runs.</param>
    /// <param name="metrics">Counts errors.</param>
    /// <param name="logger">Says when all is restored.</param>
    public AggregatesReader(KafkaClients clients, string topic, IReadOnlyDictionary<int, long> endOffsets, bool isNew, AggregatesLedger ledger, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        this.topic = topic;
        this.ledger = ledger;
        this.clock = clock;
        this.metrics = metrics;
        this.logger = logger;
        this.isNew = isNew;
        restoreTo = endOffsets;
        consumer = clients.HandReader<int, int>("none", queuedKb: 16_384, isPolledOn: true).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
        thread = new Thread(Run) { Name = "aggregates", IsBackground = true };
    }

    /// <summary>Done when everything that stood on the topic at the start is applied; failed when the reader ended by itself.</summary>
    public Task Restored => restored.Task;

    /// <summary>Done when the reader has ended by itself.</summary>
    public Task Failed => failed.Task;

    /// <summary>Why the reader ended by itself, or null.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Starts reading.</summary>
    public void Start() => thread.Start();

    /// <summary>Ends the reading at the next record or wait.</summary>
    public void Stop() => stopping.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Cancel();
        if (thread.IsAlive)
        {
            thread.Join();
        }

        consumer.Dispose();
        stopping.Dispose();
    }

    /// <summary>Reads on the caller's thread until the reader is stopped or fails: what <see cref="Start"/> has a thread of its own do.</summary>
    public void Run()
    {
        try
        {
            consumer.Assign(restoreTo.Select(end => new TopicPartitionOffset(topic, end.Key, isNew ? end.Value : Offset.Beginning)));
            if (isNew)
            {
                foreach (var (partition, end) in restoreTo)
                {
                    ledger.ReachedEnd(partition, end);
                }
            }

            long recordCount = 0;
            while (!stopping.IsCancellationRequested)
            {
                ledger.Beat(clock);
                while (ledger.TryReread(out int partition, out long offset))
                {
                    consumer.Seek(new TopicPartitionOffset(topic, partition, offset));
                }

                ConsumeResult<int, int>? result;
                try
                {
                    result = consumer.Consume(millisecondsTimeout: 50);
                }
                catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
                {
                    metrics.ReadErrors.Inc();
                    LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
                    continue;
                }

                if (result is null)
                {
                    continue;
                }

                if (result.IsPartitionEOF)
                {
                    ledger.ReachedEnd(result.Partition.Value, result.Offset.Value);
                }
                else
                {
                    recordCount++;
                    ledger.Receive(result.Partition.Value, result.Offset.Value, key.Span, value.Span);
                }

                if (!restored.Task.IsCompleted && restoreTo.All(end => ledger.Position(end.Key) >= end.Value))
                {
                    LogMessages.AggregatesRestored(logger, recordCount, restoreTo.Count);
                    restored.SetResult();
                }
            }
        }
        catch (Exception failure) // The thread's edge: without contributions no lane may go on.
        {
            Failure = failure;
            restored.TrySetException(failure);
            failed.SetResult();
        }
    }
}
