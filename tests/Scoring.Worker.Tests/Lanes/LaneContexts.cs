using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;
using Scoring.Worker.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>What the parts of one lane are given in a test: two partitions, no labels, settings as they are by default.</summary>
internal static class LaneContexts
{
    /// <summary>The context.</summary>
    /// <param name="service">The service.</param>
    /// <param name="ledger">Contributions to shared entities.</param>
    /// <param name="metrics">Counts and measures.</param>
    /// <param name="lastCommits">Counts down with the lane's last commit.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="kafka">Settings of the clients.</param>
    /// <param name="clients">Builds clients.</param>
    /// <param name="admin">Asks the broker; null where the part needs none.</param>
    public static LaneContext Of(Service service, AggregatesLedger ledger, WorkerMetrics metrics, CountdownEvent lastCommits, TimeProvider clock, KafkaOptions kafka, KafkaClients clients, BrokerAdmin? admin = null) => new()
    {
        Service = service,
        Settings = new WorkerSettings
        {
            Kafka = kafka,
            Lanes = new LaneOptions { Lanes = 1 },
            Operations = new OperationsOptions(),
            Serving = new ServingOptions(),
            Aggregates = new AggregatesOptions(),
        },
        Clients = clients,
        Admin = admin!,
        Ledger = ledger,
        PartitionCount = 2,
        ReadsLabels = false,
        Gaps = new InputGaps(2, metrics),
        Instance = "worker",
        Metrics = metrics,
        Health = new HealthState(1, TimeProvider.System),
        LastCommits = lastCommits,
        Spacing = new CommitSpacing(1, clock),
        Clock = clock,
        Logger = NullLogger.Instance,
    };
}
