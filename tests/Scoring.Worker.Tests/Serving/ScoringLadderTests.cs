using Scoring.Worker.Configuration;

namespace Scoring.Worker.Tests.Serving;

/// <summary>The steps of the ladder as a reader of scores and a reader of metrics see them: every event scored, every step marked and counted.</summary>
public sealed class ScoringLadderTests : MoodyScoring
{
    private const int NetworkTimeoutMs = 250;

    private static readonly ServingOptions Impatient = new() { NetworkTimeoutMs = NetworkTimeoutMs };
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(6);

    [Fact]
    public void A_network_that_fails_once_leaves_one_batch_to_the_trees()
    {
        using var scorer = Scorer(rowsMax: 1, options: Impatient);

        var scores = Score(scorer, Good, Failing, Good);

        Assert.Equal([null, "trees_only", null], scores.Select(Reason));
        Assert.Equal(MoodyNetwork.Joint(0.8), (double)scores[0]["score"]!, 1e-6);
        Assert.Equal(MoodyNetwork.TreesProbability, (double)scores[1]["score"]!, 1e-6);
        Assert.Null(scores[1]["component_scores"]!["network"]);
        Assert.Equal(1, Counted.Fallback.WithLabels("network_failed").Value);
        Assert.Equal(0, Counted.CircuitOpen.Value);
    }

    [Fact]
    public void Three_failures_in_a_row_leave_the_network_out_until_it_works_again()
    {
        using var scorer = Scorer(rowsMax: 1, options: Impatient);

        Assert.All(Score(scorer, Failing, Failing, Failing), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Equal(1, Counted.CircuitOpen.Value);
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good)))); // It would answer, and is not asked.

        Clock.Advance(Break);
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Failing)))); // Tried once, failed: out for another while.
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good))));

        Clock.Advance(Break);
        Assert.Equal([null, null], Score(scorer, Good, Good).Select(Reason));
        Assert.Equal(0, Counted.CircuitOpen.Value);
        Assert.Equal(6, Counted.Fallback.WithLabels("network_failed").Value);
    }

    [Fact]
    public void A_network_that_is_late_three_times_is_left_out_and_its_late_answers_are_used()
    {
        using var scorer = Scorer(rowsMax: 1, options: Impatient);
        Clock.Step = TimeSpan.FromMilliseconds(NetworkTimeoutMs + 1);

        Assert.All(Score(scorer, Good, Good, Good), score => Assert.Null(Reason(score)));
        Assert.Equal(3, Counted.NetworkLate.Value);
        Assert.Equal(1, Counted.CircuitOpen.Value);

        Clock.Step = TimeSpan.Zero;
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good))));
        Clock.Advance(Break);
        Assert.Null(Reason(Assert.Single(Score(scorer, Good))));
        Assert.Equal(3, Counted.NetworkLate.Value);
        Assert.Equal(1, Counted.Fallback.WithLabels("network_failed").Value);
    }

    [Fact]
    public void A_row_for_which_the_network_gives_no_number_is_scored_by_the_trees_and_its_neighbours_are_not()
    {
        using var scorer = Scorer(rowsMax: 16, options: Impatient);

        var scores = Score(scorer, Good, NoNumber, Low, NoNumber, Good);

        Assert.Equal([null, "trees_only", null, "trees_only", null], scores.Select(Reason));
        double[] expected = [MoodyNetwork.Joint(0.8), MoodyNetwork.TreesProbability, MoodyNetwork.Joint(0.2), MoodyNetwork.TreesProbability, MoodyNetwork.Joint(0.8)];
        Assert.All(scores.Zip(expected), pair => Assert.Equal(pair.Second, (double)pair.First["score"]!, 1e-6));
        Assert.Equal(2, Counted.Fallback.WithLabels("network_no_number").Value);
        Assert.Equal(0, Counted.Fallback.WithLabels("network_failed").Value);
        Assert.Equal(0, Counted.CircuitOpen.Value);
    }

    [Fact]
    public void What_made_a_batch_fail_does_not_make_the_next_one_fail()
    {
        using var scorer = Scorer(rowsMax: 16, options: Impatient);

        // The row that fails stands behind the place of the next batch's only row, in the same bound buffer.
        Assert.All(Score(scorer, [.. Enumerable.Repeat(Good, 8), Failing]), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Null(Reason(Assert.Single(Score(scorer, Good))));
        Assert.Equal(9, Counted.Fallback.WithLabels("network_failed").Value);
    }

    [Theory]
    [InlineData(Failing, "network_failed")]
    [InlineData(NoNumber, "network_no_number")]
    public void Without_trees_the_rules_answer(int amountMinor, string reason)
    {
        using var scorer = Scorer(rowsMax: 1, withTrees: false, options: Impatient);

        var scores = Score(scorer, Good, amountMinor, Good);

        Assert.Equal([null, "rules_only", null], scores.Select(Reason));
        Assert.Null(scores[1]["score"]);
        Assert.Null(scores[1]["model"]);
        Assert.Equal("approve", (string)scores[1]["decision"]!);
        Assert.Equal(1, Counted.Fallback.WithLabels(reason).Value);
    }
}
