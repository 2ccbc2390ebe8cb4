namespace Scoring.Trainer.Tests.Networks;

/// <summary>What a network's inputs should become, from the rules as they are written down: one value at a time, in double.</summary>
internal sealed class ReferencePreparation
{
    private readonly Func<float, double>[] standardise;
    private readonly bool[] hasFlag;

    public ReferencePreparation(float[][] training)
    {
        float[][] columns = [.. Enumerable.Range(0, training[0].Length).Select(feature => training.Select(row => row[feature]).ToArray())];
        standardise = [.. columns.Select(Rule)];
        hasFlag = [.. columns.Select(column => column.Any(float.IsNaN) && !column.All(float.IsNaN))];
    }

    /// <summary>Standardised values, then a flag per feature of which some values were missing in training.</summary>
    public double[] Prepare(float[] row) =>
        [.. row.Select((value, feature) => standardise[feature](value)), .. row.Where((_, feature) => hasFlag[feature]).Select(value => float.IsNaN(value) ? 1.0 : 0.0)];

    private static Func<float, double> Rule(float[] column)
    {
        double[] finite = [.. column.Where(float.IsFinite).Select(value => Math.Clamp((double)value, -1e30, 1e30))];
        if (finite.Length == 0)
        {
            return _ => 0;
        }

        // Infinite values of training stand at the ends of the finite ones.
        var (low, high) = (finite.Min(), finite.Max());
        double[] held = [.. column.Where(value => !float.IsNaN(value)).Select(value => Math.Clamp((double)value, low, high))];
        var (mean, deviation) = Moments(held);
        bool isHeavy = deviation > 0 && Math.Max(high - mean, mean - low) > 8 * deviation;
        Func<double, double> tame = isHeavy ? SignedLog : value => value;
        (mean, deviation) = Moments([.. held.Select(tame)]);
        return value => float.IsNaN(value) ? 0 : (tame(Math.Clamp((double)value, low, high)) - mean) / (deviation >= 1.17549435e-38 ? deviation : 1);
    }

    private static (double Mean, double Deviation) Moments(double[] values)
    {
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2))));
    }

    private static double SignedLog(double x) => Math.Sign(x) * Math.Log(1 + Math.Abs(x));
}
