using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;
using Scoring.Worker.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>All of a lane that commits, with one partition that answers, against an embedded broker; the test does what a lane's cycle does.</summary>
internal sealed class CommitScene : IDisposable
{
    private readonly EmbeddedBroker broker = EmbeddedBroker.Start();
    private readonly BrokerAdmin admin;
    private readonly AggregatesLedger ledger;
    private readonly TransactionInput input;
    private readonly ScoringPipeline pipeline;
    private readonly OwnedPartitions partitions;
    private readonly ModelSlot slot = new();
    private readonly CountdownEvent lastCommits = new(1);
    private readonly string outputTopic;
    private readonly string labelTopic;

    public CommitScene()
    {
        var definition = Bench.Definition([new() { Name = "count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromSeconds(60) }]);
        var service = new Service(definition, slot);
        (outputTopic, labelTopic) = (service.Topics.Scores, service.Topics.Labels);
        broker.CreateTopic(service.Topics.Transactions, 2);
        broker.CreateTopic(service.Topics.Labels, 2);
        var kafka = TransactionScene.Options(broker);
        var clients = new KafkaClients(kafka, "group", NullLogger.Instance);
        admin = new BrokerAdmin(clients, kafka.BootstrapServers, TransactionScene.Patience, TimeProvider.System);
        ledger = new AggregatesLedger(new SharedAggregates(service.Plan, 2), 2);
        var context = LaneContexts.Of(service, ledger, Metrics, lastCommits, Clock, kafka, clients, admin);
        foreach (string topic in context.Outputs)
        {
            broker.CreateTopic(topic, 2);
        }

        var batch = new TransactionBatch(service.Schema, 16);
        Output = new TransactionalOutput(() => clients.TransactionalProducer(context.TransactionalId(0)), 1_000, Clock);
        input = new TransactionInput(clients, service.Topics.Transactions, 0, new EventDecoder(definition), batch, readsHistory: false, keepsValues: false, _ => { }, _ => { }, _ => { }, Metrics, NullLogger.Instance);
        partitions = new OwnedPartitions(context);
        pipeline = new ScoringPipeline(service, ledger.Shared, isAlone: false, 16, emitFeatures: false, context.Settings.Serving.NetworkTimeoutMs, Clock, Metrics, NullLogger.Instance);
        Partition = Make(0);
        Rebuilding = Make(1);
        partitions.Add(Partition);
        Partition.Begin(Partition.State, start: 0, resume: 0, waits: false);
        Partition.Answer(0);
        var records = new OutputRecords(Output, context);
        Commits = new TransactionCommits(Output, input, new LaneRewind(context, partitions, input, labelInput: null, batch, pipeline, new LaneShares(context, Output), records), changelog: null, checkpoints: null, context, 0);
        Until(() =>
        {
            input.Read(10, 0);
            return input.HasAssignment;
        });

        PartitionInput Make(int number) =>
            new(new TopicPartition(service.Topics.Transactions, number), new PartitionState(service.Plan, number), new StagedRows(service.Schema, new Stack<TransactionBatch>()), new PartitionLabels(service.Schema, 0), new PartitionStart(Offset.Unset, 0, 0, WaitsForOthers: false));
    }

    /// <summary>What bounds are measured by.</summary>
    public ShiftedClock Clock { get; } = new();

    public WorkerMetrics Metrics { get; } = new(Prometheus.Metrics.NewCustomRegistry());

    public TransactionalOutput Output { get; }

    public TransactionCommits Commits { get; }

    public PartitionInput Partition { get; }

    /// <summary>One that comes when <see cref="TakeOver"/> is called.</summary>
    public PartitionInput Rebuilding { get; }

    public double Transactions(string outcome) => Metrics.Transactions.WithLabels(outcome).Value;

    public double Replacements(string cause) => Metrics.ProducerReplacements.WithLabels(cause).Value;

    public void Refuse(TransactionRequest request, ErrorCode error, int times = 1) => broker.Refuse((short)request, (int)error, times);

    public void Take(TransactionRequest request) => broker.Take((short)request);

    /// <summary>Commits offsets to the group, as a transaction does of which nobody has heard the end.</summary>
    public void CommitBehindItsBack(long offset) => input.CommitNow([new TopicPartitionOffset(Partition.Source, offset), new TopicPartitionOffset(labelTopic, Partition.Partition, 0)]);

    /// <summary>The group gives it another partition, committed up to an offset by its former owner; its state is not there yet.</summary>
    public void TakeOver(long committed)
    {
        input.CommitNow([new TopicPartitionOffset(Rebuilding.Source, committed)]);
        partitions.Add(Rebuilding);
        Rebuilding.Begin(Rebuilding.State, start: committed, resume: committed, waits: true);
    }

    /// <summary>Takes one event in, and one record out, once the output takes some.</summary>
    public void Process()
    {
        Until(() =>
        {
            if (!Output.TakesRecords)
            {
                Step();
            }

            return Output.TakesRecords;
        });
        Partition.State.AdvanceWatermark(Partition.ReceivedOffset + 1);
        Partition.ReceivedOffset++;
        Produce();
    }

    /// <summary>Hands records over until the client has heard that the transaction is broken.</summary>
    public TransactionBroken ProduceUntilRefused()
    {
        TransactionBroken? refused = null;
        Until(() =>
        {
            Output.Poll(TimeSpan.FromMilliseconds(1));
            refused = Record.Exception(Produce) as TransactionBroken;
            return refused is not null;
        });
        return refused!;
    }

    /// <summary>The longest step so far: longer than a commit may take where the machine stands still.</summary>
    public TimeSpan LongestStep { get; private set; }

    /// <summary>The cycle's part.</summary>
    public void Step()
    {
        Output.Poll(TimeSpan.FromMilliseconds(1));
        long started = TimeProvider.System.GetTimestamp();
        Commits.Step(Clock.GetTimestamp(), isBusy: false, partitions.Positions);
        var took = TimeProvider.System.GetElapsedTime(started);
        LongestStep = took > LongestStep ? took : LongestStep;
    }

    /// <summary>Goes on until something is so.</summary>
    public void StepUntil(Func<bool> isSo) => Until(() =>
    {
        Step();
        return isSo();
    });

    public void Dispose()
    {
        Output.Dispose();
        input.Dispose();
        partitions.Dispose();
        pipeline.Dispose();
        ledger.Dispose();
        admin.Dispose();
        slot.Dispose();
        lastCommits.Dispose();
        broker.Dispose();
    }

    private void Produce() => Output.Produce(new TopicPartition(outputTopic, 0), default, [1], hasKey: false);

    private void Until(Func<bool> isSo)
    {
        for (long started = TimeProvider.System.GetTimestamp(); !isSo();)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TransactionScene.Patience, $"it does not come to that: {Transactions("committed")} committed, {Transactions("aborted")} aborted, {Transactions("unknown")} unknown, {Output.LastError?.Reason}");
        }
    }
}
