using Scoring.Models.Definitions;

namespace Scoring.Worker.Kafka;

/// <summary>The topics of one service by what they are for, with every default filled in.</summary>
internal sealed class ServiceTopics(ServiceDefinition definition)
{
    private const long DayMs = 86_400_000;

    /// <summary>Transactions in.</summary>
    public string Transactions { get; } = definition.Topics.Transactions;

    /// <summary>Labels in.</summary>
    public string Labels { get; } = definition.Topics.Labels;

    /// <summary>Scores out.</summary>
    public string Scores { get; } = definition.Topics.Scores;

    /// <summary>Alerts out.</summary>
    public string Alerts { get; } = definition.Topics.Alerts;

    /// <summary>Refused transactions out.</summary>
    public string DeadLetters { get; } = definition.Topics.DeadLetters ?? definition.Topics.Transactions + ".dlq";

    /// <summary>Contributions to shared entities, out and in.</summary>
    public string Aggregates { get; } = definition.Topics.Aggregates ?? $"fraud.{definition.Service}.aggregates";

    /// <summary>Consumer group where no other is set.</summary>
    public string Group { get; } = $"fraud.{definition.Service}";

    /// <summary>How far back a feature looks at most: window and delay together, labels' delay included. The input must be retained for longer.</summary>
    public TimeSpan LongestSpan { get; } = Longest(definition);

    /// <summary>Whether a feature counts labels.</summary>
    public bool UsesLabels { get; } = definition.Features.Any(feature => feature.Aggregate.StartsWith("label_", StringComparison.Ordinal));

    /// <summary>Whether an entity is seen from several partitions.</summary>
    public bool UsesAggregates { get; } = definition.Entities.Values.Any(entity => entity.Shared is not null);

    /// <summary>Name and settings of every topic that a worker of this service touches.</summary>
    /// <param name="replicas">Replication factor.</param>
    public IEnumerable<(string Name, Dictionary<string, string> Settings)> All(int replicas)
    {
        long inputMs = Math.Max(30 * DayMs, (2 * (long)LongestSpan.TotalMilliseconds) + DayMs);
        yield return (Transactions, Deleted(inputMs, replicas));
        yield return (Labels, Deleted(inputMs, replicas));
        yield return (Scores, Deleted(30 * DayMs, replicas));
        yield return (Alerts, Deleted(90 * DayMs, replicas));
        yield return (DeadLetters, Deleted(14 * DayMs, replicas));
        yield return (Aggregates, Compacted(replicas));
    }

    private static Dictionary<string, string> Deleted(long retentionMs, int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        ["cleanup.policy"] = "delete",
        ["retention.ms"] = FormattableString.Invariant($"{retentionMs}"),
    });

    private static Dictionary<string, string> Compacted(int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        // An active segment of the default size (1 GiB) is never compacted.
        ["cleanup.policy"] = "compact",
        ["segment.bytes"] = "67108864",
        ["min.cleanable.dirty.ratio"] = "0.1",
        ["max.compaction.lag.ms"] = "3600000",
    });

    private static Dictionary<string, string> Durable(int replicas, Dictionary<string, string> settings)
    {
        if (replicas >= 3)
        {
            settings["min.insync.replicas"] = "2";
        }

        return settings;
    }

    private static TimeSpan Longest(ServiceDefinition definition)
    {
        var longest = TimeSpan.Zero;
        foreach (var feature in definition.Features)
        {
            var delay = feature.Delay ?? TimeSpan.Zero;
            if (feature.Aggregate.StartsWith("label_", StringComparison.Ordinal) && definition.Labels.Delay > delay)
            {
                delay = definition.Labels.Delay;
            }

            var span = (feature.Window ?? TimeSpan.Zero) + delay;
            longest = span > longest ? span : longest;
        }

        return longest;
    }
}
