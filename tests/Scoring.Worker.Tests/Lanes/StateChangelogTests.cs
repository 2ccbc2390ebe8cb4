using System.Globalization;
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
using Scoring.Worker.Tests.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>When changed state is copied: soon while transactions are small, seldom under load, and never later than after twice the interval.</summary>
public sealed class StateChangelogTests : IDisposable
{
    private const int Small = 100;
    private const int Large = 10_000;

    private static readonly ServiceDefinition Definition = Bench.Definition([new() { Name = "count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromHours(1) }]);

    private readonly Bench bench = new(Definition, partitionCount: 2);
    private readonly ModelSlot slot = new();
    private readonly CountdownEvent lastCommits = new(1);
    private readonly KeptOutput output = new();
    private readonly AggregatesLedger ledger;
    private readonly OwnedPartitions partitions;
    private readonly StateChangelog changelog;
    private readonly long start = TimeProvider.System.GetTimestamp();

    public StateChangelogTests()
    {
        var service = new Service(Definition, slot);
        var kafka = new KafkaOptions();
        ledger = new AggregatesLedger(bench.Shared, 2);
        var context = LaneContexts.Of(service, ledger, new WorkerMetrics(Prometheus.Metrics.NewCustomRegistry()), lastCommits, TimeProvider.System, kafka, new KafkaClients(kafka, "group", NullLogger.Instance));
        partitions = new OwnedPartitions(context);
        changelog = new StateChangelog(context, output, partitions);
        for (int number = 0; number < 2; number++)
        {
            var state = bench.States[number];
            state.KeepChangelog();
            var partition = new PartitionInput(new TopicPartition("in", number), state, new StagedRows(service.Schema, new Stack<TransactionBatch>()), labels: null, new PartitionStart(Offset.Unset, 0, 0, WaitsForOthers: false)) { Changelog = new ChangelogProgress() };
            partition.Begin(state, start: 0, resume: 0, waits: false);
            partition.Answer(0);
            partitions.Add(partition);
        }

        CommitAt(0, Small);
        Assert.Equal([1, 1], Marks);
    }

    private IEnumerable<int> Marks => partitions.All.Select(partition => partition.Changelog!.Marks);

    [Fact]
    public void While_transactions_are_small_a_quarter_of_a_second_is_enough()
    {
        Change(2_100);
        CommitAt(240, Small);
        Assert.Equal([1, 1], Marks);
        CommitAt(260, Small);
        Assert.Equal(3, Marks.Sum());
        CommitAt(270, Small);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void Little_that_changed_waits_for_the_interval()
    {
        Change(100);
        CommitAt(4_900, Small);
        Assert.Equal([1, 1], Marks);
        CommitAt(5_100, Small);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void Under_load_it_waits_for_the_interval_and_one_partition_for_the_other()
    {
        Change(2_100);
        CommitAt(4_900, Large);
        Assert.Equal([1, 1], Marks);
        CommitAt(5_100, Large);
        Assert.Equal(3, Marks.Sum());
        CommitAt(5_200, Large);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void After_twice_the_interval_nothing_waits()
    {
        Change(2_100);
        CommitAt(10_100, Large);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void What_a_transaction_takes_at_most_is_copied_at_once_and_one_partition_waits_for_the_other()
    {
        Change(20_000);
        CommitAt(10, Large);
        Assert.Equal(3, Marks.Sum());
        CommitAt(20, Large);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void Twice_as_much_waits_for_nobody()
    {
        Change(40_000);
        CommitAt(10, Large);
        Assert.Equal([2, 2], Marks);
    }

    public void Dispose()
    {
        partitions.Dispose();
        ledger.Dispose();
        bench.Dispose();
        slot.Dispose();
        lastCommits.Dispose();
        output.Dispose();
    }

    private void Change(int accounts)
    {
        for (int account = 0; account < accounts; account++)
        {
            foreach (var partition in partitions.All)
            {
                bench.Process(account.ToString(CultureInfo.InvariantCulture), SharingWorld.Event(account / 20), partition.Partition);
            }
        }
    }

    private void CommitAt(int milliseconds, int records)
    {
        output.Sent = records;
        changelog.WriteFor(start + (milliseconds * TimeProvider.System.TimestampFrequency / 1_000), isLast: false, withMarks: true);
        foreach (var partition in partitions.All)
        {
            partition.Settle(partition.Position);
        }
    }
}
