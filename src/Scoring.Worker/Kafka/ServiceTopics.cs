using Scoring.Models.Definitions;
using Scoring.Models.Packaging;

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

    /// <summary>State of partitions, out, and in when one is taken over.</summary>
    public string State { get; } = definition.Topics.State ?? $"fraud.{definition.Service}.state";

    /// <summary>Model packages in, of every service.</summary>
    public string Models { get; } = definition.Topics.Models;

    /// <summary>Key of this service's packages there.</summary>
    public string ModelsKey { get; } = ModelsTopic.Key(definition.Service, definition.Model.Channel);

    /// <summary>Consumer group where no other is set.</summary>
    public string Group { get; } = $"fraud.{definition.Service}";

    /// <summary>How far back a feature looks at most: window and delay together, labels' delay included. The input must be retained for longer.</summary>
    public TimeSpan LongestSpan { get; } = Longest(definition);

    /// <summary>Whether a feature counts labels.</summary>
    public bool UsesLabels { get; } = definition.Features.Any(feature => feature.Aggregate.StartsWith("label_", StringComparison.Ordinal));

    /// <summary>Whether an entity is seen from several partitions.</summary>
    public bool UsesAggregates { get; } = definition.Entities.Values.Any(entity => entity.Shared is not null);

    /// <summary>Name, partitions and settings of every topic that a worker of this service touches.</summary>
    /// <param name="partitions">Partitions of the input and of what answers it.</param>
    /// <param name="replicas">Replication factor.</param>
    public IEnumerable<(string Name, int Partitions, Dictionary<string, string> Settings)> All(int partitions, int replicas)
    {
        long inputMs = Math.Max(30 * DayMs, (2 * (long)LongestSpan.TotalMilliseconds) + DayMs);
        yield return (Transactions, partitions, Deleted(inputMs, replicas));
        yield return (Labels, partitions, Deleted(inputMs, replicas));
        yield return (Scores, partitions, Deleted(30 * DayMs, replicas));
        yield return (Alerts, partitions, Deleted(90 * DayMs, replicas));
        yield return (DeadLetters, partitions, Deleted(14 * DayMs, replicas));
        yield return (Aggregates, partitions, Compacted(inputMs, replicas));
        yield return (State, partitions, Changelog(replicas));
        yield return (Models, 1, Packages(replicas));
    }

    private static Dictionary<string, string> Deleted(long retentionMs, int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        ["cleanup.policy"] = "delete",
        ["retention.ms"] = FormattableString.Invariant($"{retentionMs}"),
    });

    private static Dictionary<string, string> Compacted(long retentionMs, int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        // An active segment of the default size (1 GiB) is never compacted.
        // With deletion allowed, a group that starts anew can empty it.
        ["cleanup.policy"] = "compact,delete",
        ["retention.ms"] = FormattableString.Invariant($"{retentionMs}"),
        ["segment.bytes"] = "67108864",
        ["min.cleanable.dirty.ratio"] = "0.1",
        ["max.compaction.lag.ms"] = "3600000",
    });

    private static Dictionary<string, string> Changelog(int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        // Nothing of it goes by age; with deletion allowed, what another definition left can be removed. The active segment is never compacted:
        // whoever takes a partition over reads all of it, 64 MiB of small records for some seconds.
        ["cleanup.policy"] = "compact,delete",
        ["retention.ms"] = "-1",
        ["segment.bytes"] = "16777216",
        ["min.cleanable.dirty.ratio"] = "0.3", // Cleaned at a tenth of news, the broker copies all of it for each tenth: half a core beside 20,000 events/s.
        ["max.compaction.lag.ms"] = "3600000",
        ["delete.retention.ms"] = FormattableString.Invariant($"{DayMs}"),
    });

    private static Dictionary<string, string> Packages(int replicas) => Durable(replicas, new(StringComparer.Ordinal)
    {
        // Superseded packages stay for a week: what a worker goes through at its start, and what one can roll back to without a file.
        ["cleanup.policy"] = "compact",
        ["min.compaction.lag.ms"] = FormattableString.Invariant($"{7 * DayMs}"),
        ["segment.ms"] = FormattableString.Invariant($"{DayMs}"),
        ["delete.retention.ms"] = FormattableString.Invariant($"{30 * DayMs}"),
        ["max.message.bytes"] = FormattableString.Invariant($"{ModelsTopic.RecordBytesMax}"),
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
