using System.Globalization;
using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Lanes;
using Scoring.Worker.Tests.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>When changed state is copied: with the next commit where a lane has time and transactions are small, seldom under load, and never later than after twice the interval.</summary>
public sealed class StateChangelogTests : IDisposable
{
    private const int Small = 100;
    private const int Large = 10_000;

    private static readonly ServiceDefinition Definition = Bench.Definition([new() { Name = "count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromHours(1) }]);

    private readonly LaneBench lane = new(Definition);
    private readonly OwnedPartitions partitions;
    private readonly StateChangelog changelog;
    private readonly long start = TimeProvider.System.GetTimestamp();

    public StateChangelogTests()
    {
        partitions = new OwnedPartitions(lane.Context);
        changelog = new StateChangelog(lane.Context, lane.Output, partitions);
        for (int number = 0; number < 2; number++)
        {
            lane.Bench.States[number].KeepChangelog();
            var partition = lane.Begin(number, new ChangelogProgress());
            partition.Answer(0);
            partitions.Add(partition);
        }

        CommitAt(0, Small);
        Assert.Equal([1, 1], Marks);
    }

    private IEnumerable<int> Marks => partitions.All.Select(partition => partition.Changelog!.Marks);

    [Fact]
    public void Where_a_lane_has_time_and_transactions_are_small_it_comes_with_the_next_commit()
    {
        Change(510);
        CommitAt(10, Small);
        Assert.Equal(3, Marks.Sum());
        CommitAt(20, Small);
        Assert.Equal([2, 2], Marks);
    }

    [Fact]
    public void A_busy_lane_waits_for_the_interval_however_small_its_transactions()
    {
        Change(2_100);
        CommitAt(4_900, Small, MarkTiming.WhenDue);
        Assert.Equal([1, 1], Marks);
        CommitAt(5_100, Small, MarkTiming.WhenDue);
        Assert.Equal(3, Marks.Sum());
    }

    [Fact]
    public void Where_marks_are_put_off_only_those_come_that_must()
    {
        Change(40_000);
        CommitAt(10_100, Small, MarkTiming.OnlyNeeded);
        Assert.Equal([1, 1], Marks);
        partitions.All[1].Changelog!.MustMark = true;
        CommitAt(10_200, Small, MarkTiming.OnlyNeeded);
        Assert.Equal([1, 2], Marks);
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

    [Fact]
    public void Where_labels_are_read_again_the_position_says_what_is_answered_and_the_mark_what_the_state_has()
    {
        partitions.All[1].IsLost = true; // Nothing is written of it.
        var labels = partitions.All[0].Labels!;
        labels.ResumeOffset = 10;
        labels.Begin(5);
        Assert.Equal((10, 5), LabelsAfterCommit(10_100));
        labels.StartOver();
        Assert.Equal((0, 0), LabelsAfterCommit(20_200));
    }

    [Fact]
    public void With_every_mark_goes_of_which_topics_it_is_and_a_copy_has_that_too()
    {
        partitions.All[1].IsLost = true;
        lane.Output.Records.Clear();
        Change(10);
        CommitAt(10_100, Small);
        using var state = Empty();
        var restored = Loaded(state, lane.Output.Records);
        Assert.Equal(lane.Context.Topics.Transactions, restored.Sources?.Transactions);

        var copied = new List<(byte[], byte[])>();
        Assert.True(restored.TryWriteCopy((key, value) => copied.Add((key.ToArray(), value.ToArray()))));
        using var copy = Empty();
        Assert.Equal(restored.Sources, Loaded(copy, copied).Sources);
    }

    public void Dispose()
    {
        partitions.Dispose();
        lane.Dispose();
    }

    private (long Position, long Mark) LabelsAfterCommit(int milliseconds)
    {
        lane.Output.Records.Clear();
        Change(10);
        CommitAt(milliseconds, Small);
        using var state = Empty();
        var loader = Loaded(state, lane.Output.Records);
        Assert.Equal(StateFound.Marked, loader.Finish(out var mark));
        return (loader.Position!.Value.LabelOffset, mark.LabelOffset);
    }

    private PartitionState Empty()
    {
        var state = new PartitionState(lane.Bench.Plan, 0);
        state.KeepChangelog();
        return state;
    }

    private static StateLoader Loaded(PartitionState state, IEnumerable<(byte[] Key, byte[] Value)> records)
    {
        var loader = new StateLoader(state);
        foreach (var (key, value) in records)
        {
            loader.Take(key, value);
        }

        return loader;
    }

    private void Change(int accounts)
    {
        for (int account = 0; account < accounts; account++)
        {
            foreach (var partition in partitions.All)
            {
                lane.Bench.Process(account.ToString(CultureInfo.InvariantCulture), SharingWorld.Event(account / 20), partition.Partition);
            }
        }
    }

    private void CommitAt(int milliseconds, int records, MarkTiming timing = MarkTiming.Early)
    {
        lane.Output.Sent = records;
        changelog.WriteFor(start + (milliseconds * TimeProvider.System.TimestampFrequency / 1_000), isLast: false, timing);
        foreach (var partition in partitions.All)
        {
            partition.Settle(partition.Position);
        }
    }
}
