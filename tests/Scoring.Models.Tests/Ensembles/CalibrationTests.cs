using CsCheck;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

public sealed class CalibrationTests
{
    private static readonly Gen<(double Score, bool IsFraud)[]> Rows =
        Gen.Select(Gen.Int[-20, 20].Select(i => i / 4.0), Gen.Bool).Array[2, 200].Where(rows => rows.Any(row => row.Item2) && rows.Any(row => !row.Item2));

    [Fact]
    public void Platt_finds_the_curve_that_made_the_data()
    {
        var random = new Random(1);
        double[] scores = [.. Enumerable.Range(0, 200_000).Select(_ => (random.NextDouble() * 8) - 4)];
        bool[] isFraud = [.. scores.Select(score => random.NextDouble() < 1 / (1 + Math.Exp(-((1.7 * score) - 2.2))))];

        var fit = PlattFit.Fit(scores, isFraud);

        Assert.Equal(1.7, fit.Slope, 0.03);
        Assert.Equal(-2.2, fit.Intercept, 0.03);
    }

    [Fact]
    public void Platt_leaves_no_direction_that_improves() => Rows.Sample(
        rows =>
        {
            double[] scores = [.. rows.Select(row => row.Score)];
            bool[] isFraud = [.. rows.Select(row => row.IsFraud)];
            var fit = PlattFit.Fit(scores, isFraud);
            double best = Loss(fit.Slope, fit.Intercept);
            foreach (var (slope, intercept) in new[] { (1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3) })
            {
                if (fit.Slope + slope >= 0)
                {
                    Assert.True(Loss(fit.Slope + slope, fit.Intercept + intercept) >= best - 1e-9);
                }
            }

            // Platt's smoothed targets, written out.
            double Loss(double slope, double intercept)
            {
                int frauds = isFraud.Count(fraud => fraud);
                double sum = 0;
                for (int i = 0; i < scores.Length; i++)
                {
                    double target = isFraud[i] ? (frauds + 1.0) / (frauds + 2.0) : 1.0 / (scores.Length - frauds + 2.0);
                    double p = 1 / (1 + Math.Exp(-((slope * scores[i]) + intercept)));
                    sum -= (target * Math.Log(p)) + ((1 - target) * Math.Log(1 - p));
                }

                return sum;
            }
        },
        iter: 500);

    [Fact]
    public void Isotonic_is_the_best_monotone_fit() => Rows.Sample(
        rows =>
        {
            var fit = IsotonicFit.Fit([.. rows.Select(row => row.Score)], [.. rows.Select(row => row.IsFraud)]);
            double nearest = 0.5 / (rows.Length + 1.0);

            // Min-max formula of isotonic regression over distinct scores, by brute force.
            double[] distinct = [.. rows.Select(row => row.Score).Distinct().Order()];
            for (int i = 0; i < distinct.Length; i++)
            {
                double best = Enumerable.Range(0, i + 1).Max(low => Enumerable.Range(i, distinct.Length - i).Min(high => Rate(distinct[low], distinct[high])));
                Assert.Equal(Math.Clamp(best, nearest, 1 - nearest), fit.Probability(distinct[i]), 1e-12);
            }

            double Rate(double low, double high)
            {
                var inside = rows.Where(row => row.Score >= low && row.Score <= high).ToList();
                return inside.Count(row => row.IsFraud) / (double)inside.Count;
            }
        },
        iter: 200);

    [Fact]
    public void Every_calibration_is_monotone_between_0_and_1() => Gen.Select(Rows, Gen.Double[-10, 10], Gen.Double[-10, 10]).Sample(
        (rows, a, b) =>
        {
            double[] scores = [.. rows.Select(row => row.Score)];
            bool[] isFraud = [.. rows.Select(row => row.IsFraud)];
            foreach (var fit in new[] { PlattFit.Fit(scores, isFraud), IsotonicFit.Fit(scores, isFraud), Calibration.Identity })
            {
                double low = fit.Probability(Math.Min(a, b));
                double high = fit.Probability(Math.Max(a, b));
                Assert.True(low >= 0 && low <= high + 2.5e-16 && high <= 1); // Two scores that are as good as one may differ in the last place either way: odds / (1 + odds) is rounded twice.
                Assert.True(double.IsNaN(fit.Probability(double.NaN)));
            }
        },
        iter: 500);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_fit_refuses_scores_that_are_no_numbers(double score)
    {
        Assert.Throws<ArgumentException>(() => PlattFit.Fit([score, 1], [true, false]));
        Assert.Throws<ArgumentException>(() => IsotonicFit.Fit([score, 1], [true, false]));
    }

    [Fact]
    public void A_fit_needs_both_outcomes()
    {
        Assert.Throws<ArgumentException>(() => PlattFit.Fit([1, 2], [true, true]));
        Assert.Throws<ArgumentException>(() => IsotonicFit.Fit([1, 2], [false, false]));
    }

    [Fact]
    public void A_blend_finds_the_weights_that_made_the_data()
    {
        var random = new Random(2);
        double[] trees = [.. Enumerable.Range(0, 100_000).Select(_ => (random.NextDouble() * 6) - 3)];
        double[] network = [.. trees.Select(value => (0.5 * value) + (random.NextDouble() * 4) - 2)];
        bool[] isFraud = [.. trees.Select((value, i) => random.NextDouble() < Logistic.Probability(-1 + (0.7 * value) + (0.4 * network[i])))];

        var blend = Blend.Fit(trees, network, isFraud);

        Assert.Equal(-1, blend.Bias, 0.03);
        Assert.Equal(0.7, blend.TreesWeight, 0.03);
        Assert.Equal(0.4, blend.NetworkWeight, 0.03);
    }

    [Fact]
    public void A_blend_of_two_equal_components_shares_the_weight()
    {
        var random = new Random(3);
        double[] scores = [.. Enumerable.Range(0, 5_000).Select(_ => (random.NextDouble() * 6) - 3)];
        bool[] isFraud = [.. scores.Select(score => random.NextDouble() < Logistic.Probability(score))];

        var blend = Blend.Fit(scores, scores, isFraud);

        Assert.Equal(blend.TreesWeight, blend.NetworkWeight, 1e-6);
        Assert.Equal(1, blend.TreesWeight + blend.NetworkWeight, 0.1);
    }

    [Fact]
    public void No_weight_of_a_blend_is_negative_and_no_allowed_weights_fit_better() => Gen.Select(Gen.UInt, Gen.Double[-1.5, 1.5], Gen.Double[-1.5, 1.5]).Sample(
        (seed, treesWeight, networkWeight) =>
        {
            // The truth may well follow a component turned round.
            var random = new Random((int)(seed & int.MaxValue));
            double[] trees = [.. Enumerable.Range(0, 400).Select(_ => (random.NextDouble() * 6) - 3)];
            double[] network = [.. trees.Select(score => (0.8 * score) + (random.NextDouble() * 2) - 1)];
            bool[] isFraud = [.. Enumerable.Range(0, 400).Select(i => i == 0 || (i > 1 && random.NextDouble() < Logistic.Probability((treesWeight * trees[i]) + (networkWeight * network[i]))))];

            var blend = Blend.Fit(trees, network, isFraud);

            Assert.InRange(blend.TreesWeight, 0, double.MaxValue);
            Assert.InRange(blend.NetworkWeight, 0, double.MaxValue);
            double best = Penalised(blend);
            for (int neighbour = 0; neighbour < 200; neighbour++)
            {
                double reach = neighbour % 2 == 0 ? 0.01 : 0.5;
                var other = new Blend(
                    blend.Bias + (reach * (random.NextDouble() - 0.5)),
                    Math.Max(0, blend.TreesWeight + (reach * (random.NextDouble() - 0.5))),
                    Math.Max(0, blend.NetworkWeight + (reach * (random.NextDouble() - 0.5))));
                Assert.True(Penalised(other) >= best - 1e-7, $"{other} fits better than {blend}");
            }

            double Penalised(Blend b) =>
                (0.5 * ((b.Bias * b.Bias) + ((b.TreesWeight - 0.5) * (b.TreesWeight - 0.5)) + ((b.NetworkWeight - 0.5) * (b.NetworkWeight - 0.5))))
                + Enumerable.Range(0, trees.Length).Sum(i => Logistic.Loss(b.LogOdds(trees[i], network[i]), isFraud[i] ? 1 : 0));
        },
        iter: 100);
}
