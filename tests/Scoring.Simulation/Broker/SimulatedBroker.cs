using Confluent.Kafka;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Broker;

/// <summary>A broker in memory that loses nothing: logs, transactions, one group. Every method is a request that has arrived, and answers at once.</summary>
internal sealed class SimulatedBroker
{
    /// <summary>Where the offsets of groups stand, as far as transactions are concerned.</summary>
    public static readonly TopicPartition OffsetsPartition = new("__consumer_offsets", 0);

    private readonly Dictionary<TopicPartition, PartitionLog> logs = [];
    private readonly Dictionary<string, PartitionLog[]> topics = new(StringComparer.Ordinal);

    /// <summary>Starts without topics.</summary>
    public SimulatedBroker(World world, BrokerPace pace, int partitionCount)
    {
        Transactions = new TransactionCoordinator(world, this, pace);
        Group = new GroupCoordinator(world, partitionCount);
    }

    /// <summary>The coordinator of transactions.</summary>
    public TransactionCoordinator Transactions { get; }

    /// <summary>The coordinator of the one group.</summary>
    public GroupCoordinator Group { get; }

    /// <summary>Topics by name.</summary>
    public IReadOnlyDictionary<string, PartitionLog[]> Topics => topics;

    /// <summary>Makes a topic.</summary>
    public void CreateTopic(string name, int partitionCount)
    {
        topics.Add(name, [.. Enumerable.Range(0, partitionCount).Select(number => new PartitionLog(new TopicPartition(name, number)))]);
        foreach (var log in topics[name])
        {
            logs.Add(log.Name, log);
        }
    }

    /// <summary>A partition.</summary>
    public PartitionLog Log(TopicPartition name) => logs[name];

    /// <summary>Appends a batch of a producer's transaction.</summary>
    public ErrorCode Produce(TopicPartition target, long producerId, short epoch, int sequence, IReadOnlyList<LogRecord> batch)
    {
        var log = logs[target];
        if (log.Admits(producerId, epoch) && !log.HasOpen(producerId))
        {
            var verified = Transactions.Verify(producerId, epoch, target);
            if (verified != ErrorCode.NoError)
            {
                return verified;
            }
        }

        return log.Append(producerId, epoch, sequence, batch);
    }

    /// <summary>Takes a group's offsets into a producer's transaction.</summary>
    public ErrorCode CommitOffsets(long producerId, short epoch, GroupMembership member, IReadOnlyList<TopicPartitionOffset> offsets)
    {
        var verified = Transactions.Verify(producerId, epoch, OffsetsPartition);
        return verified != ErrorCode.NoError ? verified : Group.CommitInTransaction(producerId, member, offsets);
    }

    /// <summary>Writes a marker.</summary>
    public void Mark(TopicPartition partition, long producerId, short epoch, bool isCommit)
    {
        if (partition.Equals(OffsetsPartition))
        {
            Group.Decide(producerId, isCommit);
        }
        else
        {
            logs[partition].Mark(producerId, epoch, isCommit);
        }
    }
}
