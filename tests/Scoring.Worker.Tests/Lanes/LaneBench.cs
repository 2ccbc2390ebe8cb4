using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;
using Scoring.Worker.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Parts of a lane on the bench: two partitions, an output that keeps what it is given, no broker.</summary>
internal sealed class LaneBench : IDisposable
{
    private readonly ModelSlot slot = new();
    private readonly CountdownEvent lastCommits = new(1);
    private readonly Service service;

    public LaneBench(ServiceDefinition definition)
    {
        Bench = new Bench(definition, partitionCount: 2);
        service = new Service(definition, slot);
        Ledger = new AggregatesLedger(Bench.Shared, 2);
        var kafka = new KafkaOptions();
        Context = LaneContexts.Of(service, Ledger, new WorkerMetrics(Prometheus.Metrics.NewCustomRegistry()), lastCommits, TimeProvider.System, kafka, new KafkaClients(kafka, "group", NullLogger.Instance));
    }

    public Bench Bench { get; }

    public AggregatesLedger Ledger { get; }

    public LaneContext Context { get; }

    public KeptOutput Output { get; } = new();

    /// <summary>A partition that is read from its beginning.</summary>
    public PartitionInput Begin(int number, ChangelogProgress? changelog = null)
    {
        var partition = new PartitionInput(new TopicPartition("in", number), Bench.States[number], new StagedRows(service.Schema, new Stack<TransactionBatch>()), new PartitionLabels(service.Schema, 0), new PartitionStart(Offset.Unset, 0, 0, WaitsForOthers: false)) { Changelog = changelog };
        partition.Begin(partition.State, start: 0, resume: 0, waits: false);
        return partition;
    }

    public void Dispose()
    {
        Ledger.Dispose();
        Bench.Dispose();
        slot.Dispose();
        lastCommits.Dispose();
        Output.Dispose();
    }
}
