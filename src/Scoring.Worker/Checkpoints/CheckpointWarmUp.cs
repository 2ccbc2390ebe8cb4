using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Checkpoints;

/// <summary>Before a worker joins its group it fetches checkpoints of the partitions that others answer meanwhile: what is given to it then is silent only for what came since.</summary>
/// <remarks>
/// Which partitions the group will give it nobody knows before, so it takes all, one after the other, for at most a minute. It ends as soon as a partition has no owner, and does not begin where this
/// instance is a member still: then somebody waits for it. Members that are dead count as owners until their session ends; until then the group would give their partitions to nobody. (Kafka Streams' warm-up replicas, KIP-441, serve the same end.)
/// </remarks>
internal static class CheckpointWarmUp
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>Fetches what is missing.</summary>
    /// <param name="clients">Builds the reader.</param>
    /// <param name="folder">Where checkpoints go.</param>
    /// <param name="plan">Whose state.</param>
    /// <param name="topic">The topic of state.</param>
    /// <param name="partitionCount">Its partitions.</param>
    /// <param name="othersOwnAll">Asked again and again whether others answer everything.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="logger">Says what was done.</param>
    /// <param name="stopping">Ends it early.</param>
    public static void Run(KafkaClients clients, CheckpointFolder folder, FeaturePlan plan, string topic, int partitionCount, Func<bool> othersOwnAll, TimeProvider clock, ILogger logger, CancellationToken stopping)
    {
        if (!othersOwnAll())
        {
            return;
        }

        var key = new RecordBuffer();
        var value = new RecordBuffer();
        using var consumer = clients.HandReader<int, int>("none", queuedKb: 32_768).SetKeyDeserializer(key).SetValueDeserializer(value).Build();
        long started = clock.GetTimestamp();
        long askedAt = started;
        (int partitions, long records) = (0, 0);
        for (int partition = 0; partition < partitionCount && MayGoOn(); partition++)
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
                if (Read(consumer, key, value, loader, MayGoOn) is not { } end)
                {
                    break;
                }

                using var writer = folder.Create(partition, state.Shape, end, beganAtMs);
                if (!loader.TryWriteCopy(Add))
                {
                    break; // Of another definition, and so are the others.
                }

                writer.Complete();
                (partitions, records) = (partitions + 1, records + writer.Records);

                void Add(ReadOnlySpan<byte> recordKey, ReadOnlySpan<byte> recordValue)
                {
                    writer.Add(recordKey, recordValue);
                    if (writer.HasFullBlock)
                    {
                        writer.WriteBlock();
                    }
                }
            }
            catch (Exception failed) when (failed is KafkaException or InvalidDataException or IOException or UnauthorizedAccessException)
            {
                folder.Failed(partition, failed.Message); // Restored from the topic then, as without.
            }
        }

        LogMessages.WarmedUp(logger, partitions, records, clock.GetElapsedTime(started).TotalSeconds);

        bool MayGoOn()
        {
            if (stopping.IsCancellationRequested || clock.GetElapsedTime(started) > Bound)
            {
                return false;
            }

            if (clock.GetElapsedTime(askedAt) < AskAgain)
            {
                return true;
            }

            askedAt = clock.GetTimestamp();
            return othersOwnAll();
        }
    }

    /// <summary>Reads a partition to its end.</summary>
    /// <returns>The end; null when it was not reached in time.</returns>
    private static long? Read(IConsumer<int, int> consumer, RecordBuffer key, RecordBuffer value, StateLoader loader, Func<bool> mayGoOn)
    {
        while (mayGoOn())
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
