using CsCheck;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Tests.Evaluation;

public sealed class PairedBootstrapTests
{
    [Fact]
    public void A_gain_is_the_difference_of_the_measures_on_the_rows() => Gen.UInt.Sample(
        seed =>
        {
            var random = new Random((int)(seed & int.MaxValue));
            var rows = Rows(random, accounts: 20, rowCount: 150, fraudRate: 0.2);
            double[] one = Noisy(random, rows, 1), other = Noisy(random, rows, 2);

            var gains = PairedBootstrap.Compare(rows, one, other, seed: 1);

            Assert.Equal(Ranking.AveragePrecision(other, rows.IsFraud) - Ranking.AveragePrecision(one, rows.IsFraud), gains.AveragePrecision.Gain, 1e-12);
            Assert.Equal(Reliability.LogLoss(one, rows.IsFraud) - Reliability.LogLoss(other, rows.IsFraud), gains.LogLoss.Gain, 1e-12);
            Assert.Equal(gains, PairedBootstrap.Compare(rows, one, other, seed: 1));
        },
        iter: 10);

    [Fact]
    public void The_same_scores_gain_nothing_in_any_draw()
    {
        var random = new Random(3);
        var rows = Rows(random, accounts: 20, rowCount: 200, fraudRate: 0.1);
        double[] scores = Noisy(random, rows, 1);
        var gains = PairedBootstrap.Compare(rows, scores, scores, seed: 1);
        Assert.Equal(new PairedGain(0, 0), gains.LogLoss);
        Assert.Equal(new PairedGain(0, 0), gains.AveragePrecision);
    }

    // Twins: the same signal, other noise. Of a hundred pairs some five may look surely better.
    [Fact]
    public void Of_equally_good_models_one_in_twenty_seems_surely_better()
    {
        int surelyBetter = Enumerable.Range(0, 100).Count(seed =>
        {
            var random = new Random(seed);
            var rows = Rows(random, accounts: 60, rowCount: 400, fraudRate: 0.1);
            return PairedBootstrap.Compare(rows, Noisy(random, rows, 1), Noisy(random, rows, 1), seed).LogLoss.LowerBound > 0;
        });
        Assert.InRange(surelyBetter, 1, 12);
    }

    [Fact]
    public void What_repeats_within_an_account_makes_nobody_surer()
    {
        // Ten times the same rows of each account say no more than once.
        var random = new Random(5);
        var once = Rows(random, accounts: 30, rowCount: 120, fraudRate: 0.2);
        double[] one = Noisy(random, once, 1), other = Noisy(random, once, 0.5);
        var tenTimes = new ScoredRows { TimesMs = Repeat(once.TimesMs), Accounts = Repeat(once.Accounts), IsFraud = Repeat(once.IsFraud), Scores = [] };

        var few = PairedBootstrap.Compare(once, one, other, seed: 1);
        var many = PairedBootstrap.Compare(tenTimes, Repeat(one), Repeat(other), seed: 1);

        Assert.Equal(few.LogLoss.Gain, many.LogLoss.Gain, 1e-12);
        Assert.Equal(few.LogLoss.LowerBound, many.LogLoss.LowerBound, 1e-12);

        static T[] Repeat<T>(T[] values) => [.. values.SelectMany(value => Enumerable.Repeat(value, 10))];
    }

    private static ScoredRows Rows(Random random, int accounts, int rowCount, double fraudRate) => new()
    {
        TimesMs = [.. Enumerable.Range(0, rowCount).Select(row => row * 1_000L)],
        Accounts = [.. Enumerable.Range(0, rowCount).Select(_ => random.Next(accounts))],
        IsFraud = [.. Enumerable.Range(0, rowCount).Select(row => row < 2 || random.NextDouble() < fraudRate)],
        Scores = [],
    };

    private static double[] Noisy(Random random, ScoredRows rows, double noise) =>
        [.. rows.IsFraud.Select(isFraud => 1 / (1 + Math.Exp(2 - (isFraud ? 2 : 0) - (noise * 4 * (random.NextDouble() - 0.5)))))];
}
