using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Verification;

/// <summary>Reads topics and committed offsets as they are at one moment, committed records only. It joins no group and writes nothing.</summary>
internal sealed class ClusterReader
{
    private const int QueuedKb = 65_536;
    private const int ReadMs = 500;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestCall = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(5);

    private readonly KafkaClients clients;
    private readonly BrokerAdmin broker;
    private readonly TimeProvider clock;
    private readonly TimeSpan wait;
    private readonly TextWriter progress;

    /// <summary>Connects lazily.</summary>
    /// <param name="clients">Builds the clients.</param>
    /// <param name="broker">Asks, within a bound.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="wait">Longest to wait for open Kafka transactions, or for a partition to be read on.</param>
    /// <param name="progress">Told how far reading is.</param>
    public ClusterReader(KafkaClients clients, BrokerAdmin broker, TimeProvider clock, TimeSpan wait, TextWriter progress)
    {
        this.clients = clients;
        this.broker = broker;
        this.clock = clock;
        this.wait = wait;
        this.progress = progress;
    }

    /// <summary>Offsets that a group has committed of some topics; 0 where it has committed none. Waits for commits of Kafka transactions that are under way.</summary>
    /// <returns>The offsets by topic, and whether none is under way any more.</returns>
    public async Task<(IReadOnlyDictionary<string, long[]> Offsets, bool IsStable)> CommittedAsync(string group, IReadOnlyList<string> topics, int partitionCount, CancellationToken stopping)
    {
        TopicPartition[] asked = [.. topics.SelectMany(topic => Enumerable.Range(0, partitionCount).Select(partition => new TopicPartition(topic, partition)))];
        using var decided = clients.OffsetsReader(group, isStable: true).Build();
        long started = clock.GetTimestamp();
        do
        {
            try
            {
                return (Offsets(decided.Committed(asked, wait < CallTimeout ? wait + ShortestCall : CallTimeout)), true);
            }
            catch (KafkaException undecided) when (!undecided.Error.IsFatal)
            {
                await Task.Delay(PollInterval, clock, stopping);
            }
        }
        while (clock.GetElapsedTime(started) < wait);

        using var reader = clients.OffsetsReader(group, isStable: false).Build();
        return (Offsets(broker.Ask(() => reader.Committed(asked, CallTimeout))), false);

        Dictionary<string, long[]> Offsets(List<TopicPartitionOffset> committed)
        {
            var offsets = topics.ToDictionary(topic => topic, _ => new long[partitionCount], StringComparer.Ordinal);
            foreach (var one in committed.Where(one => one.Offset != Offset.Unset))
            {
                offsets[one.Topic][one.Partition.Value] = one.Offset.Value;
            }

            return offsets;
        }
    }

    /// <summary>Notes where a topic ends, and waits until everything before that is decided: committed or aborted.</summary>
    public async Task<TopicSnapshot> SnapshotAsync(string topic, int partitionCount, CancellationToken stopping)
    {
        int[] all = [.. Enumerable.Range(0, partitionCount)];
        var ends = broker.EndOffsets(topic, all);
        long[] starts;
        using (var consumer = clients.HandReader<Ignore, byte[]>("none", QueuedKb).Build())
        {
            starts = [.. all.Select(partition => broker.Ask(() => consumer.QueryWatermarkOffsets(new TopicPartition(topic, partition), CallTimeout)).Low.Value)];
        }

        long started = clock.GetTimestamp();
        while (true)
        {
            var stable = broker.Ask(() => broker.StableEndOffsetsAsync(topic, all).GetAwaiter().GetResult());
            int[] open = [.. all.Where(partition => stable[partition] < ends[partition])];
            if (open.Length == 0 || clock.GetElapsedTime(started) > wait)
            {
                return new TopicSnapshot(topic, starts, [.. all.Select(partition => Math.Min(ends[partition], stable[partition]))], open);
            }

            await Task.Delay(PollInterval, clock, stopping);
        }
    }

    /// <summary>Reads every partition from its start to the snapshot's end.</summary>
    /// <param name="snapshot">What to read.</param>
    /// <param name="fields">What of a record beside its value is needed: <c>headers,timestamp</c>, or <c>none</c>.</param>
    /// <param name="take">Takes each record; those of a partition in offset order.</param>
    /// <param name="stopping">Ends the reading.</param>
    /// <exception cref="CommandFailure">The brokers give no more before the end.</exception>
    public void Read<TKey>(TopicSnapshot snapshot, string fields, Action<ConsumeResult<TKey, byte[]>> take, CancellationToken stopping)
    {
        var left = Enumerable.Range(0, snapshot.Ends.Length).Where(partition => snapshot.Starts[partition] < snapshot.Ends[partition]).ToHashSet();
        if (left.Count == 0)
        {
            return;
        }

        using var consumer = clients.HandReader<TKey, byte[]>(fields, QueuedKb).Build();
        consumer.Assign(left.Select(partition => new TopicPartitionOffset(snapshot.Topic, partition, snapshot.Starts[partition])));
        long taken = 0;
        long told = clock.GetTimestamp();
        long moved = told;
        while (left.Count > 0)
        {
            stopping.ThrowIfCancellationRequested();
            var record = consumer.Consume(ReadMs);
            long now = clock.GetTimestamp();
            if (record is not null)
            {
                int partition = record.Partition.Value;
                long end = snapshot.Ends[partition];
                moved = now;
                if (!record.IsPartitionEOF && record.Offset.Value < end)
                {
                    take(record);
                    taken++;
                }

                if (record.Offset.Value + (record.IsPartitionEOF ? 0 : 1) >= end && left.Remove(partition))
                {
                    consumer.IncrementalUnassign([new TopicPartition(snapshot.Topic, partition)]);
                }
            }

            if (clock.GetElapsedTime(moved, now) > wait + CallTimeout)
            {
                throw new CommandFailure(ExitCode.Unavailable, FormattableString.Invariant($"{snapshot.Topic}: nothing came for {clock.GetElapsedTime(moved, now).TotalSeconds:0} s before the end of partition {left.Min()} was reached"));
            }

            if (clock.GetElapsedTime(told, now) > TellInterval)
            {
                progress.WriteLine(FormattableString.Invariant($"verify: {snapshot.Topic}: {taken} records"));
                told = now;
            }
        }

        progress.WriteLine(FormattableString.Invariant($"verify: {snapshot.Topic}: {taken} records read"));
    }
}
