using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Scoring.Faults.Rows;

/// <summary>Faults of one broker.</summary>
internal static class BrokerFaults
{
    /// <summary>Longest until leaders that were asked to move have.</summary>
    private static readonly TimeSpan MovedBound = TimeSpan.FromSeconds(20);

    /// <summary>SIGKILL, some seconds, start.</summary>
    public static async Task KillAsync(FaultRun run)
    {
        int broker = run.AnyBroker();
        await run.Cluster.DoAsync("kill", broker, run.Stopping);
        await run.PauseAsync(1 + (run.Random.NextDouble() * 5));
        await run.Cluster.DoAsync("restart", broker, run.Stopping);
        await run.ReplicatedAsync();
    }

    /// <summary>One broker of three stops and starts in peace, then leads again what it led: coordinators of the group and of transactions move twice, and no broker dies.</summary>
    public static async Task MoveCoordinatorsAsync(FaultRun run)
    {
        await run.Cluster.DoAsync("restart", run.AnyBroker(), run.Stopping);
        await run.ReplicatedAsync();
        await run.PauseAsync(run.Random.NextDouble() * 2);
        var before = Leaders(run);
        try
        {
            await run.Admin.ElectLeadersAsync(ElectionType.Preferred, partitions: null);
        }
        catch (ElectLeadersException refused) when (refused.Results.TopicPartitions.TrueForAll(one => one.Error.Code is ErrorCode.NoError or ErrorCode.ElectionNotNeeded))
        {
            // Most lead already.
        }

        await run.UntilAsync("coordinators have moved", MovedBound, () =>
        {
            var moved = Leaders(run).Where(now => before.GetValueOrDefault(now.Key, now.Value) != now.Value).Select(now => now.Key).ToList();
            bool areThere = moved.Exists(partition => partition.Topic.StartsWith("__", StringComparison.Ordinal));
            if (areThere)
            {
                run.Say(FormattableString.Invariant($"moved: {string.Join(", ", moved.GroupBy(partition => partition.Topic).Select(topic => FormattableString.Invariant($"{topic.Count()} of {topic.Key}")))}"));
            }

            return Task.FromResult(areThere);
        });
        await run.ReplicatedAsync();
    }

    /// <summary>Stopped: what clients sent meanwhile it answers late.</summary>
    public static async Task PauseAsync(FaultRun run)
    {
        int broker = run.AnyBroker();
        await run.Cluster.DoAsync("pause", broker, run.Stopping);
        await run.PauseAsync(8);
        await run.Cluster.DoAsync("resume", broker, run.Stopping);
        await run.ReplicatedAsync();
    }

    private static Dictionary<TopicPartition, int> Leaders(FaultRun run) => run.Admin.GetMetadata(TimeSpan.FromSeconds(5)).Topics
        .SelectMany(topic => topic.Partitions.Select(partition => KeyValuePair.Create(new TopicPartition(topic.Topic, partition.PartitionId), partition.Leader)))
        .ToDictionary();
}
