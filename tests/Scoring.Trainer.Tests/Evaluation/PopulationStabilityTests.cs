using CsCheck;
using Scoring.Trainer.Evaluation;

namespace Scoring.Trainer.Tests.Evaluation;

public sealed class PopulationStabilityTests
{
    // Ten values, one to a decile; later all lie in the lowest: by hand, with half a row added to each of eleven bins.
    [Fact]
    public void The_index_is_the_formula_by_hand()
    {
        double[] then = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        double[] now = [1, 1, 1, 1];
        // Edges 2, 3, ..., 10: bins <=2 (two rows), <=3, ..., <=10 (one row each), >10 (none), missing (none).
        double expected = Term(2, 4);
        for (int bin = 0; bin < 8; bin++)
        {
            expected += Term(1, 0);
        }

        expected += 2 * Term(0, 0);
        Assert.Equal(expected, PopulationStability.Index(then, now), 1e-12);

        static double Term(int before, int after)
        {
            double shareThen = (before + 0.5) / (10 + 5.5);
            double shareNow = (after + 0.5) / (4 + 5.5);
            return (shareNow - shareThen) * Math.Log(shareNow / shareThen);
        }
    }

    [Fact]
    public void It_is_never_negative_nor_infinite_and_zero_for_the_same_rows() =>
        Gen.Select(Value.Array[0, 60], Value.Array[0, 60]).Sample((then, now) =>
        {
            double index = PopulationStability.Index(then, now);
            Assert.True(index >= 0 && double.IsFinite(index));
            Assert.Equal(0, PopulationStability.Index(then, then), 1e-12);
        });

    [Fact]
    public void Missing_values_that_appear_are_seen()
    {
        double[] then = [.. Enumerable.Range(0, 1_000).Select(i => (double)i)];
        double[] now = [.. then.Select(value => value < 300 ? double.NaN : value)];
        Assert.True(PopulationStability.Index(then, now) > 0.25);
    }

    private static readonly Gen<double> Value = Gen.OneOf(Gen.Double[-5, 5], Gen.Const(double.NaN), Gen.Int[0, 3].Select(i => (double)i));
}
