using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Checkpoints;

/// <summary>Before a worker joins its group it fetches checkpoints of the partitions that others answer meanwhile: what is given to it then is silent only for what came since.</summary>
/// <remarks>
/// Which partitions the group will give it nobody knows before, so it takes all, one after the other, for at most a minute. Not where a partition has no owner, or this worker is one that
/// comes back: then somebody waits for it. (Kafka Streams' warm-up replicas, KIP-441, serve the same end.)
/// </remarks>
internal static class CheckpointWarmUp
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    /// <summary>Fetches what is missing.</summary>
    /// <param name="clients">Builds the reader.</param>
    /// <param name="folder">Where checkpoints go.</param>
    /// <param name="plan">Whose state.</param>
    /// <param name="topic">The topic of state.</param>
    /// <param name="partitionCount">Its partitions.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="logger">Says what was done.</param>
    /// <param name="stopping">Ends it early.</param>
    public static void Run(KafkaClients clients, CheckpointFolder folder, FeaturePlan plan, string topic, int partitionCount, TimeProvider clock, ILogger logger, CancellationToken stopping)
    {
        var key = new RecordBuffer();
        var value = new RecordBuffer();
        using var consumer = clients.HandReader<int, int>("none", queuedKb: 32_768).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
        long started = clock.GetTimestamp();
        (int partitions, long records) = (0, 0);
        for (int partition = 0; partition < partitionCount && clock.GetElapsedTime(started) < Bound && !stopping.IsCancellationRequested; partition++)
        {
            try
            {
                using var state = new PartitionState(plan, partition);
                state.KeepChangelog();
                var loader = new StateLoader(state);
                long beganAtMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
                var source = new TopicPartition(topic, partition);
                var retained = consumer.QueryWatermarkOffsets(source, TimeSpan.FromSeconds(5));
                if (folder.Find(partition, state.Shape, retained.Low.Value, retained.High.Value) is { } there)
                {
                    there.Dispose();
                    continue;
                }

                consumer.Assign(new TopicPartitionOffset(source, Offset.Beginning));
                if (Read(consumer, key, value, loader, clock, started, stopping) is not { } end)
                {
                    break;
                }

                using var writer = folder.Create(partition, state.Shape, end, beganAtMs);
                if (loader.TryWriteCopy(writer.Add))
                {
                    writer.Complete();
                    (partitions, records) = (partitions + 1, records + writer.Records);
                }
            }
            catch (Exception failed) when (failed is KafkaException or InvalidDataException or IOException or UnauthorizedAccessException)
            {
                folder.Failed(partition, failed.Message); // Restored from the topic then, as without.
            }
        }

        LogMessages.WarmedUp(logger, partitions, records, clock.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Reads a partition to its end.</summary>
    /// <returns>The end; null when it was not reached in time.</returns>
    private static long? Read(IConsumer<int, int> consumer, RecordBuffer key, RecordBuffer value, StateLoader loader, TimeProvider clock, long started, CancellationToken stopping)
    {
        while (clock.GetElapsedTime(started) < Bound && !stopping.IsCancellationRequested)
        {
            var record = consumer.Consume(millisecondsTimeout: 100);
            if (record is { IsPartitionEOF: true })
            {
                return record.Offset.Value;
            }

            if (record is not null)
            {
                loader.Take(key.Span, value.Span);
            }
        }

        return null;
    }
}
