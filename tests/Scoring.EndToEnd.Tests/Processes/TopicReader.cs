using Confluent.Kafka;

namespace Scoring.EndToEnd.Tests.Processes;

/// <summary>Reads a topic from its beginning, committed records only, without a group.</summary>
internal sealed class TopicReader : IDisposable
{
    private readonly IConsumer<byte[], byte[]> consumer;

    public TopicReader(string bootstrapServers, string topic, int partitionCount)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "reader-of-a-test",
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        config.Set("fetch.queue.backoff.ms", "5");
        consumer = new ConsumerBuilder<byte[], byte[]>(config).Build();
        consumer.Assign(Enumerable.Range(0, partitionCount).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
    }

    /// <summary>Takes records until there were <paramref name="count"/>, or none came for <paramref name="patience"/>.</summary>
    /// <returns>How many came.</returns>
    public int Take(int count, TimeSpan patience, Action<ConsumeResult<byte[], byte[]>> take, Func<bool>? goOn = null)
    {
        int taken = 0;
        var quiet = TimeSpan.Zero;
        var slice = TimeSpan.FromMilliseconds(200);
        while (taken < count && quiet < patience && (goOn?.Invoke() ?? true))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            if (consumer.Consume(slice) is { } record)
            {
                take(record);
                taken++;
                quiet = TimeSpan.Zero;
            }
            else
            {
                quiet += slice;
            }
        }

        return taken;
    }

    public void Dispose()
    {
        consumer.Close();
        consumer.Dispose();
    }
}
