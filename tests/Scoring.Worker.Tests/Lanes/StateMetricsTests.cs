using System.Globalization;
using Confluent.Kafka;
using Prometheus;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Tests.Lanes;

public sealed class StateMetricsTests
{
    private const long Epoch = 1_700_000_000_000;
    private const int LabelsKept = 40;

    private readonly WorkerMetrics metrics = new(Metrics.NewCustomRegistry());

    [Fact]
    public void What_a_partition_met_is_told_once_although_its_history_is_read_again_after_a_rebalance()
    {
        var told = new StateMetrics(metrics, partitionCount: 1);
        using (var first = Tight())
        {
            var partition = Partition(first);
            MeetEverything(first);
            told.Tell(partition);
            AssertTold(reordered: 1);
            Assert.Equal(LabelsKept, metrics.LabelsWaiting.WithLabels("0").Value);
            Assert.Equal(first.State.Bytes, metrics.StateBytes.WithLabels("0").Value);
            told.Tell(partition);
            told.End(partition);
            AssertTold(reordered: 1);
            Assert.Empty(metrics.LabelsWaiting.GetAllLabelValues());
            Assert.Empty(metrics.StateBytes.GetAllLabelValues());
        }

        using var second = Tight();
        var again = Partition(second);
        again.IsRebuilding = true;
        MeetEverything(second);
        told.Tell(again);
        AssertTold(reordered: 1);

        again.IsRebuilding = false;
        told.Begin(again);
        second.Process("e", Event(1_000, 9_995));
        second.Process("e", Event(1_001, 9_990));
        told.Tell(again);
        told.End(again);
        Assert.Equal(3, metrics.EventsLate.WithLabels("reordered").Value);
    }

    [Fact]
    public void Unknown_members_of_several_lanes_are_added_up()
    {
        var one = new StateMetrics(metrics, partitionCount: 1);
        var other = new StateMetrics(metrics, partitionCount: 1);
        one.TellUnknownMembers(5);
        other.TellUnknownMembers(2);
        one.TellUnknownMembers(6);
        other.TellUnknownMembers(2);
        Assert.Equal(8, metrics.UnknownMembers.Value);
    }

    [Fact]
    public async Task What_partitions_tell_each_other_is_looked_up_when_somebody_looks()
    {
        using var bench = Tight();
        metrics.Follow(bench.Shared);
        bench.Shared.Apply(0, [255, 0], []); // Another version's.
        for (int merchant = 0; merchant < 300; merchant++)
        {
            bench.Process("a", Event(merchant, 0, merchant));
        }

        using var page = new MemoryStream();
        await metrics.Registry.CollectAndExportAsTextAsync(page, TestContext.Current.CancellationToken);

        Assert.Equal(1, metrics.AggregatesIgnored.Value);
        Assert.Equal(bench.Shared.KeyCount, metrics.SharedEntries.Value);
        Assert.Equal(300, metrics.SharedEntries.Value + metrics.StateEvictions.WithLabels("shared", "limit").Value);
        Assert.InRange(metrics.StateEvictions.WithLabels("shared", "limit").Value, 1, 299);
    }

    private static Bench Tight() => new(Bench.Definition(
        [
            new() { Name = "account_count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromSeconds(60) },
            new() { Name = "account_rate", Entity = "account", Aggregate = "label_rate", Window = TimeSpan.FromSeconds(60) },
            new() { Name = "merchant_count", Entity = "merchant", Aggregate = "count", Window = TimeSpan.FromSeconds(60) },
        ],
        account: new() { Key = ["account_id"], EventsMax = 16, KeysMax = 3 },
        merchant: new() { Key = ["merchant_id"], KeysMax = 100, Shared = new() { Pane = TimeSpan.FromSeconds(1), Settle = TimeSpan.FromSeconds(2) } },
        recentMax: LabelsKept));

    private static PartitionInput Partition(Bench bench)
    {
        var partition = new PartitionInput(
            new TopicPartition("in", 0), bench.State, new StagedRows(new EventSchema(TransactionFields.All), new Stack<TransactionBatch>()), labels: null, new PartitionStart(Offset.Unset, 0, 0, WaitsForOthers: false));
        partition.Begin(bench.State, start: 0, resume: 0, waits: false);
        return partition;
    }

    /// <summary>Every fault that a state counts, in a stream worked out by hand.</summary>
    private static void MeetEverything(Bench bench)
    {
        for (int i = 0; i < 18; i++)
        {
            bench.Process("a", Event(i, i)); // a is new; its ring of 16 gives up two that are less than 60 s old.
        }

        Assert.Equal(LabelOutcome.Applied, bench.Label("0", isFraud: 1)); // Of one of the two: nothing is left to mark.
        bench.Process("b", Event(20, 30)); // b is new
        bench.Process("b", Event(21, 25)); // reordered
        bench.Process("b", Event(22, -60)); // 90 s late: too old
        bench.Process("c", Event(23, 31)); // c is new
        bench.Process("d", Event(24, 32)); // d is new: beyond three, a goes
        bench.Process("e", Event(25, 10_000)); // e is new; two keys for one that comes have been idle for too long, and two of the merchant's panes
        for (int i = 0; i < LabelsKept + 5; i++)
        {
            bench.Label(string.Create(CultureInfo.InvariantCulture, $"nobody-{i}"), isFraud: 1); // five more than wait
        }
    }

    private void AssertTold(int reordered)
    {
        Assert.Equal(reordered, metrics.EventsLate.WithLabels("reordered").Value);
        Assert.Equal(1, metrics.EventsLate.WithLabels("too_old").Value);
        Assert.Equal(2, metrics.StateEventsDropped.Value);
        Assert.Equal(5, metrics.StateKeysAdded.Value);
        Assert.Equal(1, metrics.StateEvictions.WithLabels("partition", "limit").Value);
        Assert.Equal(4, metrics.StateEvictions.WithLabels("partition", "expired").Value);
        Assert.Equal(5, metrics.LabelsGivenUp.WithLabels("unmatched").Value);
        Assert.Equal(1, metrics.LabelsGivenUp.WithLabels("out_of_reach").Value);
    }

    private static NaiveEvent Event(int id, int seconds, int merchant = 0) =>
        new(id.ToString(CultureInfo.InvariantCulture), Epoch + (seconds * 1_000L), 1_000, string.Create(CultureInfo.InvariantCulture, $"m{merchant}"), null, null);
}
