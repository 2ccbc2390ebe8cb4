using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Lanes;
using Scoring.Worker.Tests.State;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>When a row of a partition that contributes to shared entities may be computed: not before what the rows ahead of it gave is told, where it would expire.</summary>
public sealed class LaneSharesTests : IDisposable
{
    private const int Hour = 3_600;

    private static readonly ServiceDefinition Definition = Bench.Definition([new() { Name = "count", Entity = "merchant", Aggregate = "count", Window = TimeSpan.FromSeconds(Hour) }]);

    private readonly LaneBench lane = new(Definition);
    private readonly LaneShares shares;
    private readonly PartitionInput partition;

    public LaneSharesTests()
    {
        shares = new LaneShares(lane.Context, lane.Output);
        partition = lane.Begin(0);
        partition.Share.Assignment = lane.Ledger.Assign(0, formerEnd: 0);
        lane.Ledger.Announce(0, partition.Share.Assignment, long.MaxValue, isIdle: false); // No row waits for panes: lanes before were far ahead.
        lane.Ledger.Announce(1, lane.Ledger.Assign(1, formerEnd: 0), long.MaxValue, isIdle: false);
    }

    [Fact]
    public void The_first_row_s_contribution_is_told_before_the_second_row_goes()
    {
        Assert.True(MayGo(3));
        Process(3);
        Assert.False(MayGo(2 * Hour));
        Assert.Empty(lane.Output.Records);

        EndCycle();
        Assert.True(partition.Share.IsOwned);
        Assert.Equal([false, true], lane.Output.Records.Select(record => ContributionMark.TryRead(record.Key, record.Value, out _, out _)));
        Assert.True(MayGo(2 * Hour));
    }

    [Fact]
    public void Told_is_what_stands_on_the_topic()
    {
        EndCycle();
        Process(3);
        EndCycle();
        Assert.True(MayGo(4));
        Process(4);
        Assert.True(MayGo(Hour));
        Assert.False(MayGo(2 * Hour));
    }

    [Fact]
    public void What_a_former_owner_has_told_is_not_told_again()
    {
        using var former = new Bench(Definition, partitionCount: 2);
        former.Process("a", SharingWorld.Event(10));
        long offset = 0;
        former.States[0].DrainContributions((key, sum) => lane.Ledger.Receive(0, offset++, key, sum));
        Process(3);
        Assert.True(MayGo(20));
        Assert.False(MayGo(3 * Hour));

        EndCycle();
        Assert.Empty(lane.Output.Records);
        Assert.False(partition.Share.IsOwned);
        Assert.True(MayGo(3 * Hour));
    }

    public void Dispose() => lane.Dispose();

    private void Process(int second)
    {
        lane.Bench.Process("a", SharingWorld.Event(second));
        partition.Share.HasUndrained = true;
    }

    // Live: it waits for nobody else.
    private bool MayGo(int second)
    {
        shares.BeginCycle();
        return shares.MayGo(partition, horizonMs: 1, SharingWorld.Event(second).TimeMs, isHistory: false, out _);
    }

    private void EndCycle() => shares.EndCycle([partition], TimeProvider.System.GetTimestamp(), progressed: true);
}
