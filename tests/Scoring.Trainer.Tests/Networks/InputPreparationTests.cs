using CsCheck;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

public sealed class InputPreparationTests
{
    private static readonly Gen<float> Value = Gen.Frequency(
        (10, Gen.Float[-3, 3]),
        (3, Gen.Float[0, 1].Select(x => (float)Math.Pow(10, 6 * x))),
        (2, Gen.Const(float.NaN)),
        (1, Gen.Int[0, 3].Select(i => new[] { 0f, 7f, float.PositiveInfinity, float.NegativeInfinity }[i])));

    private static readonly Gen<float[][]> Rows = Gen.Select(Gen.Int[1, 4], Gen.Int[1, 60]).SelectMany((features, rows) => Value.Array[features].Array[rows]);

    [Fact]
    public void Prepared_values_are_those_of_the_rules() => Rows.Sample(
        rows =>
        {
            var preparation = InputPreparation.Fit(rows);
            var reference = new ReferencePreparation(rows);
            var prepared = NetworkRows.Prepare(preparation, rows, new bool[rows.Length]);
            for (int row = 0; row < rows.Length; row++)
            {
                double[] expected = reference.Prepare(rows[row]);
                Assert.Equal(expected.Length, prepared.Width);
                for (int i = 0; i < expected.Length; i++)
                {
                    Assert.True(Math.Abs(expected[i] - prepared.Row(row)[i]) <= 2e-5 * Math.Max(1, Math.Abs(expected[i])), $"row {row}, value {i}: {prepared.Row(row)[i]} where {expected[i]} is due");
                }
            }
        },
        iter: 100);

    [Fact]
    public void Whatever_comes_later_is_finite() => Gen.Select(Gen.OneOf(Value, Gen.Float).Array[3].Array[1, 40], Gen.OneOf(Value, Gen.Float).Array[3].Array[1, 20]).Sample(
        (training, rows) =>
        {
            var preparation = InputPreparation.Fit(training);
            Assert.All(NetworkRows.Prepare(preparation, rows, new bool[rows.Length]).Prepared, value => Assert.True(float.IsFinite(value)));
        },
        iter: 100);
}
