using System.Globalization;
using Scoring.Simulation.Histories;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Lanes;
using Scoring.Worker.Verification;

namespace Scoring.Simulation.Tests;

/// <summary>A share of the simulator's seeds; by hand it runs many more (docs/reliability.md).</summary>
public sealed class SeedTests(ITestOutputHelper output)
{
    private const int SeedCount = 600;

    [Fact]
    public void Histories_of_all_seeds_are_good()
    {
        var bad = new List<Outcome>();
        var run = new SeedRun(from: 1, SeedCount);
        run.Go(parallel: 2, bad.Add);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Done} seeds, {run.Records} transactions, {run.Values} feature values compared, {run.Unavailable} workers ended with 69"));
        Assert.True(bad.Count == 0, string.Join('\n', bad));
        Assert.Equal(SeedCount, run.Done);
    }

    /// <summary>Each of them found a mistake of the worker, and finds it again when its mending is taken out (docs/reliability.md).</summary>
    [Theory]
    [InlineData(29)]
    [InlineData(122)]
    [InlineData(61)]
    [InlineData(94)]
    [InlineData(11_245)]
    [InlineData(27_492)]
    [InlineData(78_834)]
    public void A_seed_that_found_a_mistake_is_good(int seed)
    {
        using var threads = new ActorThreads();
        var outcome = History.Run(HistoryPlan.Of(seed), new SimulatedService(), threads);
        Assert.True(outcome.IsGood, outcome.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(50)]
    [InlineData(172)]
    public void A_seed_is_a_history(int seed)
    {
        using var threads = new ActorThreads();
        var first = History.Run(HistoryPlan.Of(seed), new SimulatedService(), threads);
        var second = History.Run(HistoryPlan.Of(seed), new SimulatedService(), threads);
        Assert.Equal(first.Hash, second.Hash);
        Assert.Equal(first.Events, second.Events);
        Assert.Equal(first.Seconds, second.Seconds);
        using var trace = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(first.Hash, History.Run(HistoryPlan.Of(seed), new SimulatedService(), threads, trace).Hash);
        Assert.NotEqual(first.Hash, History.Run(HistoryPlan.Of(seed + 1), new SimulatedService(), threads).Hash);
    }

    /// <summary>Kafka 4.3.1 leaves transactions open that it has aborted, where it does not know a leader (docs/reliability.md). A worker stops then, and makes nothing visible that it has taken back.</summary>
    [Fact]
    public void What_the_broker_does_not_close_is_never_visible()
    {
        string[] wrong = [nameof(Invariant.Beyond), nameof(Invariant.Duplicated), nameof(Invariant.Different), nameof(Invariant.OutOfOrder), nameof(Invariant.Torn)]; // What stands behind an open transaction is not to be seen: it may count as lost until somebody ends that one.
        using var threads = new ActorThreads();
        var simulated = new SimulatedService();
        int stopped = 0;
        for (int seed = 1; seed <= 60; seed++)
        {
            var outcome = History.Run(HistoryPlan.Of(seed) with { LostMarkers = 0.5 }, simulated, threads);
            output.WriteLine(outcome.ToString());
            stopped += outcome.IsGood ? 0 : 1;
            Assert.DoesNotContain(outcome.Violations, violation => wrong.Any(kind => violation.Contains(kind, StringComparison.Ordinal)));
        }

        Assert.NotEqual(0, stopped);
    }

    /// <summary>A simulator that finds nothing proves nothing.</summary>
    [Theory]
    [InlineData((int)PlantedBug.NoUndo, 10)]
    [InlineData((int)PlantedBug.NoSeek, 10)]
    [InlineData((int)PlantedBug.NoOffsets, 10)]
    [InlineData((int)PlantedBug.PositionOffByOne, 10)]
    [InlineData((int)PlantedBug.SwallowedRecord, 10)]
    [InlineData((int)PlantedBug.StateForgotten, 10)]
    [InlineData((int)PlantedBug.UnknownIsDone, 50)]
    [InlineData((int)PlantedBug.UnknownIsTakenBack, 400)]
    [InlineData((int)PlantedBug.LabelsKept, 50)]
    [InlineData((int)PlantedBug.AlertLeftOut, 10)]
    public void A_planted_bug_is_found(int bug, int within)
    {
        Outcome? first = null;
        new SeedRun(from: 1, within, (PlantedBug)bug, endsWithFirst: true).Go(parallel: 2, bad => first ??= bad);
        output.WriteLine($"{(PlantedBug)bug}: {first}");
        Assert.NotNull(first);
    }
}
