using CsCheck;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Tests.Evaluation;

public sealed class RankingTests
{
    // Few distinct scores, so that ties are common.
    private static readonly Gen<(double Score, bool IsFraud)[]> Rows =
        Gen.Select(Gen.Int[0, 12].Select(i => i / 4.0), Gen.Bool).Array[2, 60].Where(rows => rows.Any(row => row.Item2) && rows.Any(row => !row.Item2));

    [Fact]
    public void Area_under_ROC_is_the_share_of_pairs_in_order() => Rows.Sample(rows =>
    {
        var pairs = from fraud in rows
                    where fraud.IsFraud
                    from honest in rows
                    where !honest.IsFraud
                    select fraud.Score > honest.Score ? 1.0 : fraud.Score == honest.Score ? 0.5 : 0.0;
        Assert.Equal(pairs.Average(), Ranking.AreaUnderRoc(Scores(rows), Outcomes(rows)), 1e-12);
    });

    [Fact]
    public void Average_precision_is_the_sum_over_thresholds_of_precision_times_recall_gained() => Rows.Sample(rows =>
    {
        double frauds = rows.Count(row => row.IsFraud);
        double sum = 0;
        double recallBefore = 0;
        foreach (double threshold in rows.Select(row => row.Score).Distinct().OrderDescending())
        {
            var raised = rows.Where(row => row.Score >= threshold).ToList();
            double recall = raised.Count(row => row.IsFraud) / frauds;
            sum += (recall - recallBefore) * raised.Count(row => row.IsFraud) / raised.Count;
            recallBefore = recall;
        }

        Assert.Equal(sum, Ranking.AveragePrecision(Scores(rows), Outcomes(rows)), 1e-12);
    });

    [Fact]
    public void Average_precision_of_the_example_in_scikit_learns_documentation() =>
        Assert.Equal(0.83, Ranking.AveragePrecision([0.1, 0.4, 0.35, 0.8], [false, false, true, true]), 0.005);

    [Fact]
    public void Recall_at_a_rate_is_that_of_the_best_threshold_within_it() => Gen.Select(Rows, Gen.Double[0, 1]).Sample((rows, rate) =>
    {
        double honest = rows.Count(row => !row.IsFraud);
        double frauds = rows.Count(row => row.IsFraud);
        double best = rows.Select(row => row.Score).Append(double.PositiveInfinity)
            .Where(threshold => rows.Count(row => !row.IsFraud && row.Score >= threshold) <= rate * honest)
            .Max(threshold => rows.Count(row => row.IsFraud && row.Score >= threshold) / frauds);
        Assert.Equal(best, Ranking.RecallAt(rate, Scores(rows), Outcomes(rows)), 1e-12);
    });

    [Fact]
    public void One_outcome_alone_says_nothing()
    {
        Assert.True(double.IsNaN(Ranking.AreaUnderRoc([1, 2], [true, true])));
        Assert.True(double.IsNaN(Ranking.AveragePrecision([1, 2], [false, false])));
        Assert.True(double.IsNaN(Ranking.RecallAt(0.1, [1, 2], [false, false])));
    }

    [Fact]
    public void Card_precision_counts_cards_a_day_and_leaves_out_those_caught()
    {
        const long Day = ScoredRows.DayMs;
        var rows = new ScoredRows
        {
            TimesMs = [0, 1, 2, 3, Day, Day + 1, Day + 2],
            Accounts = [1, 1, 2, 3, 1, 2, 4],
            IsFraud = [true, false, false, true, true, false, false],
            Scores = [0.2, 0.9, 0.8, 0.1, 0.99, 0.5, 0.4],
        };

        // Day 0: cards 1 (.9, compromised) and 2 (.8): 1 of 2. Day 1: card 1 was caught; 2 and 4: 0 of 2.
        Assert.Equal(0.25, CardPrecision.AtTop(rows, cardsPerDay: 2));

        // The truth ranks 1 and 3 first on day 0; nobody is left on day 1.
        Assert.Equal(0.5, CardPrecision.Perfect(rows, cardsPerDay: 2));
    }

    [Fact]
    public void Card_precision_is_that_of_a_plain_ranking() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 8], Gen.Bool, Gen.Int[0, 1000]).Array[1, 80].Sample(cells =>
        {
            var sorted = cells.OrderBy(cell => cell.Item1).ToArray();
            var rows = new ScoredRows
            {
                TimesMs = [.. sorted.Select(cell => cell.Item1 * ScoredRows.DayMs)],
                Accounts = [.. sorted.Select(cell => cell.Item2)],
                IsFraud = [.. sorted.Select(cell => cell.Item3)],
                Scores = [.. sorted.Select((cell, i) => cell.Item4 + (i / 1000.0))], // no ties: their order is ours to choose
            };
            HashSet<int> caught = [];
            List<double> precisions = [];
            foreach (var day in sorted.Select((cell, i) => (Day: cell.Item1, Account: cell.Item2, IsFraud: cell.Item3, Score: rows.Scores[i])).GroupBy(row => row.Day))
            {
                var top = day.Where(row => !caught.Contains(row.Account)).GroupBy(row => row.Account)
                    .Select(card => (Account: card.Key, Score: card.Max(row => row.Score), IsFraud: card.Any(row => row.IsFraud)))
                    .OrderByDescending(card => card.Score).Take(3).Where(card => card.IsFraud).ToList();
                precisions.Add(top.Count / 3.0);
                caught.UnionWith(top.Select(card => card.Account));
            }

            Assert.Equal(precisions.Average(), CardPrecision.AtTop(rows, 3), 1e-12);
        });

    [Fact]
    public void Log_loss_is_the_mean_negative_log_likelihood()
    {
        double expected = -(Math.Log(0.9) + Math.Log(1 - 0.2) + Math.Log(0.4)) / 3;
        Assert.Equal(expected, Reliability.LogLoss([0.9, 0.2, 0.4], [true, false, true]), 1e-12);
    }

    [Fact]
    public void A_certain_and_wrong_answer_costs_much_but_not_everything() =>
        Assert.InRange(Reliability.LogLoss([1, 0], [false, true]), 15, 25);

    [Fact]
    public void Calibration_error_is_nought_for_the_truth_and_grows_with_the_lie()
    {
        double[] truth = [.. Enumerable.Repeat(0.25, 4_000)];
        bool[] outcomes = [.. Enumerable.Range(0, 4_000).Select(i => i % 4 == 0)];

        Assert.Equal(0, Reliability.CalibrationError(truth, outcomes), 0.01);
        Assert.Equal(0.15, Reliability.CalibrationError([.. truth.Select(p => p + 0.15)], outcomes), 0.01);
    }

    [Fact]
    public void Slope_says_how_far_too_sure_a_model_is()
    {
        var random = new Random(5);
        double[] logOdds = [.. Enumerable.Range(0, 100_000).Select(_ => (random.NextDouble() * 6) - 3)];
        bool[] outcomes = [.. logOdds.Select(z => random.NextDouble() < 1 / (1 + Math.Exp(-z)))];

        Assert.Equal(0.5, Reliability.Slope([.. logOdds.Select(z => 1 / (1 + Math.Exp(-2 * z)))], outcomes), 0.02);
    }

    private static double[] Scores((double Score, bool IsFraud)[] rows) => [.. rows.Select(row => row.Score)];

    private static bool[] Outcomes((double Score, bool IsFraud)[] rows) => [.. rows.Select(row => row.IsFraud)];
}
