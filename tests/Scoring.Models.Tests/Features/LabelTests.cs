using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>What becomes of labels: early, late, twice, contradicting, unknown, for nobody.</summary>
public sealed class LabelTests
{
    private const long Epoch = 1_700_000_000_000;
    private const int Day = 86_400;

    [Fact]
    public void Each_label_has_an_outcome_and_is_counted()
    {
        using var bench = NewBench();
        bench.Process("a", Event("t1", 0));
        Assert.Equal(LabelOutcome.Unknown, bench.Label("t1", -1));
        Assert.Equal(LabelOutcome.Applied, bench.Label("t1", 1));
        Assert.Equal(LabelOutcome.Repeated, bench.Label("t1", 1));
        Assert.Equal(LabelOutcome.Replaced, bench.Label("t1", 0));
        Assert.Equal(LabelOutcome.Waiting, bench.Label("t2", 1));
        Assert.Equal(LabelOutcome.Repeated, bench.Label("t2", 1));
        Assert.Equal(1, bench.State.LabelsWaiting);
        bench.Process("a", Event("t2", 1));
        Assert.Equal(0, bench.State.LabelsWaiting);
        bench.Process("b", Event("t3", 100));
        Assert.Equal(LabelOutcome.Replaced, bench.Label("t1", 1));   // late as well: its time was 20 s after t1
        Assert.Equal(1, bench.State.Counters.LabelsUnknown);
        Assert.Equal(2, bench.State.Counters.LabelsRepeated);
        Assert.Equal(2, bench.State.Counters.LabelsReplaced);
        Assert.Equal(1, bench.State.Counters.LabelsLate);
    }

    [Fact]
    public void A_label_that_comes_before_its_time_changes_nothing_that_was_read_before()
    {
        // Two orders in which the topics may interleave: the same scores from the label's time on, and none before.
        Assert.Equal(Values(labelBefore: true), Values(labelBefore: false));

        static List<double> Values(bool labelBefore)
        {
            using var bench = NewBench();
            var values = new List<double>();
            if (labelBefore)
            {
                bench.Label("t1", 1);
            }

            bench.Process("a", Event("t1", 0));
            for (int seconds = 5; seconds < 60; seconds += 5)
            {
                if (seconds == 15 && !labelBefore)
                {
                    bench.Label("t1", 1);
                }

                values.Add(bench.Process("a", Event($"s{seconds}", seconds))[0]);
            }

            Assert.Equal([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0], values);
            return values;
        }
    }

    [Fact]
    public void Waiting_labels_are_bounded_and_those_given_up_counted()
    {
        using var bench = NewBench(recentMax: 3);
        for (int i = 0; i < 5; i++)
        {
            bench.Label($"x{i}", 1);
        }

        Assert.Equal(3, bench.State.LabelsWaiting);
        Assert.Equal(2, bench.State.Counters.LabelsGivenUp);
    }

    [Fact]
    public void The_hazard_is_learnt_from_runs_that_ended()
    {
        using var bench = new Bench(Bench.Definition(
            [new() { Name = "hazard", Entity = "account", Aggregate = "label_hazard" }], labelDelaySeconds: Day));

        // Three accounts whose runs of frauds lasted 2, 4 and 4 days, each ended by an honest payment.
        foreach (var (account, days) in new[] { ("a", 2), ("b", 4), ("c", 4) })
        {
            for (int day = 0; day <= days; day++)
            {
                bench.Process(account, Event($"{account}{day}", day * Day));
                bench.Label($"{account}{day}", 1);
            }

            bench.Process(account, Event($"{account}honest", (days + 1) * Day));
            bench.Process(account, Event($"{account}later", (days + 3) * Day));
        }

        // A fourth run, known for 1 day, 3 days old: of three runs that lasted a day or more, two lasted three.
        bench.Process("d", Event("d0", 100 * Day));
        bench.Label("d0", 1);
        bench.Process("d", Event("d1", 101 * Day));
        bench.Label("d1", 1);
        Assert.Equal(2.0 / 3, bench.Process("d", Event("d2", 103 * Day))[0], 12);
        Assert.Equal(double.NaN, bench.Process("e", Event("e0", 103 * Day))[0]);
    }

    private static Bench NewBench(int recentMax = 1000) => new(Bench.Definition(
        [new() { Name = "frauds", Entity = "account", Aggregate = "label_count", Window = TimeSpan.FromSeconds(30) }], recentMax: recentMax));

    private static NaiveEvent Event(string id, int seconds) => new(id, Epoch + (seconds * 1000L), 100, "m", null, null);
}
