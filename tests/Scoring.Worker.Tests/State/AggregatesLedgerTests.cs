using CsCheck;
using Scoring.Models.Definitions;
using Scoring.Models.Tests.Features;
using Scoring.Worker.State;

namespace Scoring.Worker.Tests.State;

/// <summary>What a process reads of a partition that is committed, taken back and given away: never less than it was told once.</summary>
public sealed class AggregatesLedgerTests
{
    private static readonly ServiceDefinition Definition = Bench.Definition([new() { Name = "count", Entity = "merchant", Aggregate = "count", Window = TimeSpan.FromHours(1) }]);

    private static readonly Gen<int[]> Gaps = Gen.Int[-3, 4].Array[1, 40];

    private static readonly Gen<SharingStep[]> Steps = Gen.Select(Gen.Enum<SharingAct>(), Gen.Int[1, 6], (act, count) => new SharingStep(act, count)).Array[0, 60];

    [Fact]
    public void Closed_panes_hold_what_the_events_say_through_commits_aborts_and_changes_of_owner() => Gen.Select(Gaps, Steps).Sample(
        (gaps, steps) =>
        {
            using var world = new SharingWorld(Definition, gaps);
            world.CheckWhatIsTold();
            foreach (var step in steps)
            {
                world.Do(step);
                world.CheckWhatIsTold();
            }

            world.Do(new SharingStep(SharingAct.Process, gaps.Length));
            world.Do(new SharingStep(SharingAct.Publish, 1));
            world.Do(new SharingStep(SharingAct.Commit, 1));
            world.Do(new SharingStep(SharingAct.Follow, 1));
            world.Do(new SharingStep(SharingAct.Receive, int.MaxValue));
            world.CheckThatAllIsTold();
        },
        iter: 5_000);

    [Fact]
    public void A_contribution_that_is_not_made_the_second_time_is_gone()
    {
        using var bench = new Bench(Definition, partitionCount: 2);
        using var ledger = new AggregatesLedger(bench.Shared, 2);
        ledger.Announce(0, ledger.Assign(0, formerEnd: 0), long.MaxValue, isIdle: false);
        long assignment = ledger.Assign(1, formerEnd: 0);
        ledger.Own(1, assignment, readBefore: 0);
        var state = bench.States[1];
        state.Begin();
        bench.Process("a", SharingWorld.Event(3), 1);
        Tell();
        Assert.Equal(1, bench.Process("b", SharingWorld.Event(10))[0]);

        ledger.TakeBack(1, assignment);
        state.Rollback((key, sum) => ledger.Apply(1, assignment, key, sum));
        Assert.Equal(1, bench.Process("b", SharingWorld.Event(11))[0]);
        state.AdvanceWatermark(SharingWorld.Event(4).TimeMs);
        Tell();
        Assert.Equal(0, bench.Process("b", SharingWorld.Event(12))[0]);

        void Tell() => state.DrainContributions((key, sum) => ledger.Apply(1, assignment, key, sum));
    }
}
