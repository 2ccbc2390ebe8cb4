using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Tests.Evaluation;

/// <summary>The gate on made-up models whose quality is known.</summary>
public sealed class ChampionGateTests
{
    private static readonly ChampionGate Gate = new() { FraudsMin = 10 };

    [Fact]
    public void Of_two_hundred_pairs_of_equal_models_at_most_one_in_twenty_is_exchanged()
    {
        int exchanged = Enumerable.Range(0, 200).Count(seed =>
        {
            var (rows, signal) = World(seed, accounts: 150, rowCount: 900);
            var random = new Random(seed + 10_000);
            return Gate.Judge(rows, Scores(random, signal, noise: 1), Scores(random, signal, noise: 1)).Outcome == GateOutcome.Promoted;
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{exchanged} of 200 equal challengers were promoted");
        Assert.InRange(exchanged, 0, 10);
    }

    [Fact]
    public void A_challenger_that_sees_more_is_promoted_and_one_that_sees_less_is_not()
    {
        var outcomes = Enumerable.Range(0, 10).Select(seed =>
        {
            var (rows, signal) = World(seed, accounts: 300, rowCount: 3_000);
            var random = new Random(seed + 20_000);
            double[] good = Scores(random, signal, noise: 0.5), poor = Scores(random, signal, noise: 2);
            return (Up: Gate.Judge(rows, poor, good).Outcome, Down: Gate.Judge(rows, good, poor).Outcome);
        }).ToList();

        Assert.InRange(outcomes.Count(outcome => outcome.Up == GateOutcome.Promoted), 8, 10); // power of four in five
        Assert.DoesNotContain(outcomes, outcome => outcome.Down == GateOutcome.Promoted);
    }

    [Fact]
    public void Worse_probabilities_are_vetoed_however_well_they_rank()
    {
        var (rows, signal) = World(1, accounts: 300, rowCount: 3_000);
        var random = new Random(2);
        double[] poor = Scores(random, signal, noise: 2);
        double[] good = [.. Scores(random, signal, noise: 0.1).Select(score => 0.9 + (score / 10))]; // the same order, far too sure

        var verdict = Gate.Judge(rows, poor, good);

        Assert.Equal(GateOutcome.Kept, verdict.Outcome);
        Assert.Contains("its probabilities are worse", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_model_must_beat_knowing_nothing()
    {
        var (rows, signal) = World(3, accounts: 300, rowCount: 3_000);
        var random = new Random(4);

        Assert.Equal(GateOutcome.Promoted, Gate.Judge(rows, null, Scores(random, signal, noise: 0.5)).Outcome);
        Assert.Equal(GateOutcome.Kept, Gate.Judge(rows, null, [.. signal.Select(_ => 0.05 + (0.01 * random.NextDouble()))]).Outcome);
    }

    [Fact]
    public void Too_few_frauds_decide_nothing_and_the_margin_is_kept()
    {
        var (rows, signal) = World(5, accounts: 300, rowCount: 3_000);
        var random = new Random(6);
        double[] good = Scores(random, signal, noise: 0.5), poor = Scores(random, signal, noise: 2);

        Assert.Equal(GateOutcome.NotJudged, (Gate with { FraudsMin = 100_000 }).Judge(rows, poor, good).Outcome);
        Assert.Equal(GateOutcome.Kept, (Gate with { Margin = 0.5 }).Judge(rows, poor, good).Outcome);
    }

    // Accounts differ in how suspicious they are: rows of one account are alike. The signal is the true log-odds.
    private static (ScoredRows Rows, double[] Signal) World(int seed, int accounts, int rowCount)
    {
        var random = new Random(seed);
        double[] ofAccount = [.. Enumerable.Range(0, accounts).Select(_ => Normal(random))];
        int[] account = [.. Enumerable.Range(0, rowCount).Select(_ => random.Next(accounts))];
        double[] signal = [.. account.Select(at => -3.2 + (1.2 * ofAccount[at]) + Normal(random))];
        var rows = new ScoredRows
        {
            TimesMs = [.. Enumerable.Range(0, rowCount).Select(row => row * 1_000L)],
            Accounts = account,
            IsFraud = [.. signal.Select(logOdds => random.NextDouble() < Probability(logOdds))],
            Scores = [],
        };
        return (rows, signal);
    }

    private static double[] Scores(Random random, double[] signal, double noise) => [.. signal.Select(logOdds => Probability(logOdds + (noise * Normal(random))))];

    private static double Probability(double logOdds) => 1 / (1 + Math.Exp(-logOdds));

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
