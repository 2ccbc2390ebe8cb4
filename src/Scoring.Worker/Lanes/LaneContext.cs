using Microsoft.Extensions.Logging;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Checkpoints;
using Scoring.Worker.Configuration;
using Scoring.Worker.Crashes;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;
using Scoring.Worker.State;

namespace Scoring.Worker.Lanes;

/// <summary>What all lanes are given. Immutable, or safe from several threads.</summary>
internal sealed record LaneContext
{
    /// <summary>The service.</summary>
    public required Service Service { get; init; }

    /// <summary>Settings.</summary>
    public required WorkerSettings Settings { get; init; }

    /// <summary>Builds clients.</summary>
    public required KafkaClients Clients { get; init; }

    /// <summary>Asks the brokers.</summary>
    public required BrokerAdmin Admin { get; init; }

    /// <summary>Counts input that is gone.</summary>
    public required InputGaps Gaps { get; init; }

    /// <summary>Where checkpoints of state are; null where none are kept.</summary>
    public CheckpointFolder? Checkpoints { get; init; }

    /// <summary>Where it is noted which records are in hand; null where that is not wanted.</summary>
    public CrashJournal? Crashes { get; init; }

    /// <summary>Contributions to shared entities.</summary>
    public required AggregatesLedger Ledger { get; init; }

    /// <summary>Partitions of the input, and of every output.</summary>
    public required int PartitionCount { get; init; }

    /// <summary>Keeps the lanes' commits apart.</summary>
    public required CommitSpacing Spacing { get; init; }

    /// <summary>Whether a reader of labels is wanted.</summary>
    public required bool ReadsLabels { get; init; }

    /// <summary>Name of this worker among those of its group: <c>Kafka:InstanceId</c>, or one of this run.</summary>
    public required string Instance { get; init; }

    /// <summary>Mistakes that a test makes the lane make; none otherwise.</summary>
    public Planted Planted { get; init; } = Planted.Nothing;

    /// <summary>Counts and measures.</summary>
    public required WorkerMetrics Metrics { get; init; }

    /// <summary>Takes heartbeats.</summary>
    public required HealthState Health { get; init; }

    /// <summary>Counts down with each lane that has made its last commit, or has failed to: one that leaves the group earlier rearranges it under the others.</summary>
    public required CountdownEvent LastCommits { get; init; }

    /// <summary>The only clock.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Log.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The definition.</summary>
    public ServiceDefinition Definition => Service.Definition;

    /// <summary>Columns of events.</summary>
    public EventSchema Schema => Service.Schema;

    /// <summary>Names of topics.</summary>
    public ServiceTopics Topics => Service.Topics;

    /// <summary>Batching and committing.</summary>
    public LaneOptions Lanes => Settings.Lanes;

    /// <summary>Publishing and waiting.</summary>
    public AggregatesOptions Aggregates => Settings.Aggregates;

    /// <summary>Whether partitions contribute to shared entities.</summary>
    public bool UsesAggregates => Service.Plan.HasShared;

    /// <summary>Whether output and input offsets are committed together.</summary>
    public bool IsExactlyOnce => Settings.Kafka.IsExactlyOnce;

    /// <summary>Whether state is copied to a topic and restored from there; if not, it is rebuilt from the input.</summary>
    public bool HasChangelog => IsExactlyOnce && KeepsState;

    /// <summary>The topics that the state is made of.</summary>
    public StateSources Sources => new(Topics.Transactions, ReadsLabels ? Topics.Labels : "");

    /// <summary>The topics that lanes write to, each partition of them its owner alone.</summary>
    public IReadOnlyList<string> Outputs =>
        [Topics.Scores, Topics.Alerts, Topics.DeadLetters, .. (string[])(UsesAggregates ? [Topics.Aggregates] : []), .. (string[])(HasChangelog ? [Topics.State] : [])];

    /// <summary>Identifier of a lane's transactions: a process that starts under the same one shuts an earlier one out.</summary>
    public string TransactionalId(int lane) => FormattableString.Invariant($"{Clients.Group}.{Instance}.{lane}");

    /// <summary>Whether anything is remembered, by features or to answer repeats; if not, nothing is rebuilt.</summary>
    public bool KeepsState => Definition.Entities.Count > 0 || Definition.Duplicates is not null;

    /// <summary>Whether a group without committed offsets answers from the end on.</summary>
    public bool StartsLatest => string.Equals(Settings.Kafka.From, "latest", StringComparison.Ordinal);
}
