using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Packaging;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>The worker's one reader of the models topic, on a thread of its own: from the beginning to the end before the lanes start, then as it grows.</summary>
/// <remarks>When it ends by itself the worker goes on with the model it has: <c>fraudscoring_models_followed</c> falls to 0.</remarks>
internal sealed class ModelSubscription : IDisposable
{
    private const int FetchWaitMs = 500;
    private const int PollMs = 100;

    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly string topic;
    private readonly byte[] channelKey;
    private readonly ModelOffers offers;
    private readonly IReadOnlyDictionary<int, long> endOffsets;
    private readonly HashSet<int> behind;
    private readonly IConsumer<byte[], byte[]> consumer;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly Thread thread;
    private readonly TaskCompletionSource caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Prepares the reader.</summary>
    /// <param name="clients">Builds the consumer.</param>
    /// <param name="topics">Topic and key.</param>
    /// <param name="endOffsets">Of every partition of the topic: what is history.</param>
    /// <param name="offers">Decides.</param>
    /// <param name="metrics">Counts errors.</param>
    /// <param name="logger">Says what fails.</param>
    public ModelSubscription(KafkaClients clients, ServiceTopics topics, IReadOnlyDictionary<int, long> endOffsets, ModelOffers offers, WorkerMetrics metrics, ILogger logger)
    {
        topic = topics.Models;
        channelKey = Encoding.UTF8.GetBytes(topics.ModelsKey);
        this.offers = offers;
        this.endOffsets = endOffsets;
        this.metrics = metrics;
        this.logger = logger;
        behind = [.. endOffsets.Where(end => end.Value > 0).Select(end => end.Key)];
        consumer = clients.HandReader<byte[], byte[]>("headers", queuedKb: 16_384, FetchWaitMs).Build();
        thread = new Thread(Follow) { Name = "models", IsBackground = true };
    }

    /// <summary>Done when everything that stood on the topic at the start was considered; failed when the reader ended before.</summary>
    public Task CaughtUp => caughtUp.Task;

    /// <summary>Starts reading.</summary>
    public void Start() => thread.Start();

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Cancel();
        if (thread.IsAlive && !thread.Join(EndTimeout))
        {
            return; // In the middle of a large package: the process ends without waiting for it.
        }

        consumer.Dispose();
        offers.Dispose();
        stopping.Dispose();
    }

    private void Follow()
    {
        try
        {
            consumer.Assign(endOffsets.Select(end => new TopicPartitionOffset(topic, end.Key, Offset.Beginning)));
            metrics.ModelsFollowed.Set(1);
            GoLiveAtEnd();
            while (!stopping.IsCancellationRequested)
            {
                try
                {
                    if (consumer.Consume(PollMs) is { } record)
                    {
                        Take(record);
                    }
                }
                catch (ConsumeException error) when (KafkaClients.MayGoOn(error))
                {
                    metrics.ReadErrors.Inc();
                    LogMessages.ReadError(logger, topic, error.Error.Code.ToString(), error.Error.Reason);
                }
            }
        }
        catch (Exception failure) // The thread's edge: the model in the slot goes on.
        {
            metrics.ModelsFollowed.Set(0);
            LogMessages.ModelsNotFollowed(logger, topic, failure.Message, failure);
            caughtUp.TrySetException(failure);
        }
    }

    private void Take(ConsumeResult<byte[], byte[]> record)
    {
        if (!record.IsPartitionEOF && record.Message.Key is { } key && key.AsSpan().SequenceEqual(channelKey))
        {
            if (record.Message.Value is { } package)
            {
                var headers = record.Message.Headers?.Select(header => new KeyValuePair<string, byte[]?>(header.Key, header.GetValueBytes())) ?? [];
                offers.Consider(package, ModelRecordHeaders.Read(headers));
            }
            else
            {
                offers.Withdraw();
            }
        }

        long position = record.IsPartitionEOF ? record.Offset.Value : record.Offset.Value + 1;
        if (!caughtUp.Task.IsCompleted && position >= endOffsets[record.Partition.Value] && behind.Remove(record.Partition.Value))
        {
            GoLiveAtEnd();
        }
    }

    private void GoLiveAtEnd()
    {
        if (behind.Count == 0)
        {
            offers.GoLive();
            caughtUp.SetResult();
        }
    }
}
