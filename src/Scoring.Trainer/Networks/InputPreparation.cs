using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>What stands between features as they are computed and numbers that a network learns from. Fitted on training rows, published as part of the graph.</summary>
/// <remarks>
/// Per feature: 1. a missing value (NaN) becomes the mean, and a column of its own says so where training had missing ones; 2. values
/// are held between the lowest and the highest finite one of training, infinities too, and within 1e30; 3. a feature with a heavy tail (a value more than
/// 8 standard deviations from the mean) becomes <c>sign(x) ln(1 + |x|)</c>; 4. mean 0, standard deviation 1; a constant one, or one that varies by less than 1.2e-38, is always 0.
/// Whatever the features are, the prepared values are finite. The piecewise linear encoding of Gorishniy, Rubachev and Babenko ("On
/// embeddings for numerical features in tabular deep learning", NeurIPS 2022) was tried and gained nothing: docs/decisions/0006.
/// </remarks>
internal sealed class InputPreparation
{
    private const double HeavyTailDeviations = 8;

    // Differences of float32 values overflow beyond; nothing that is measured is as large.
    private const double LargestValue = 1e30;

    // Smallest float32 of full precision (IEEE 754); below it the graph would divide by a number of few bits.
    private const double SmallestDeviation = 1.17549435e-38;

    private readonly Column[] columns;

    private InputPreparation(Column[] columns) => this.columns = columns;

    /// <summary>Features of a row.</summary>
    public int FeatureCount => columns.Length;

    /// <summary>Prepared values of a row.</summary>
    public int Width => columns.Length + columns.Count(column => column.HasMissing);

    /// <summary>Fits on rows.</summary>
    /// <param name="rows">Features of each row, at least one row.</param>
    public static InputPreparation Fit(IReadOnlyList<float[]> rows) =>
        new([.. Enumerable.Range(0, rows[0].Length).Select(feature => Fit([.. rows.Select(row => row[feature])]))]);

    /// <summary>Writes the preparation into a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="features">[rows, <see cref="FeatureCount"/>].</param>
    /// <returns>[rows, <see cref="Width"/>].</returns>
    public GraphTensor Write(GraphBuilder graph, GraphTensor features)
    {
        // NaN alone differs from itself. IsNaN is not on the list of operators that a package may hold.
        var isPresent = graph.Binary("Equal", features, features);
        var filled = graph.Node("Where", [isPresent, features, Row(column => column.Fill)], features.Dimensions);
        var held = graph.Binary("Min", graph.Binary("Max", filled, Row(column => column.Low)), Row(column => column.High));
        var tamed = Array.Exists(columns, column => column.IsHeavy)
            ? graph.Binary("Add", graph.Binary("Mul", held, Row(column => column.IsHeavy ? 0 : 1)), graph.Binary("Mul", SignedLog(graph, held), Row(column => column.IsHeavy ? 1 : 0)))
            : held;
        var standardised = graph.Binary("Div", graph.Binary("Sub", tamed, Row(column => column.Mean)), Row(column => column.Deviation));
        long[] missing = [.. Enumerable.Range(0, columns.Length).Where(index => columns[index].HasMissing).Select(index => (long)index)];
        if (missing.Length == 0)
        {
            return standardised;
        }

        var isMissing = graph.Unary("Cast", graph.Unary("Not", isPresent), OnnxSetting.Of("to", (long)graph.ElementType));
        return graph.Concatenate(1, standardised, graph.Columns(isMissing, missing));

        GraphTensor Row(Func<Column, double> value) => graph.Constant(Array.ConvertAll(columns, column => value(column)), columns.Length);
    }

    private static GraphTensor SignedLog(GraphBuilder graph, GraphTensor x)
    {
        var one = graph.Scalar(1);
        var above = graph.Unary("Log", graph.Binary("Add", graph.Unary("Relu", x), one));
        var below = graph.Unary("Log", graph.Binary("Add", graph.Unary("Relu", graph.Unary("Neg", x)), one));
        return graph.Binary("Sub", above, below);
    }

    private static Column Fit(float[] values)
    {
        double[] finite = [.. values.Where(float.IsFinite).Select(value => (double)value)];
        bool hasMissing = Array.Exists(values, float.IsNaN) && !Array.TrueForAll(values, float.IsNaN);
        if (finite.Length == 0)
        {
            return new() { HasMissing = hasMissing };
        }

        var (low, high) = (Math.Clamp(finite.Min(), -LargestValue, LargestValue), Math.Clamp(finite.Max(), -LargestValue, LargestValue));
        double[] held = [.. values.Where(value => !float.IsNaN(value)).Select(value => Math.Clamp(value, low, high))];
        var (mean, deviation) = Moments(held);
        bool isHeavy = Math.Max(high - mean, mean - low) > HeavyTailDeviations * deviation && deviation > 0;
        if (isHeavy)
        {
            (mean, deviation) = Moments(Array.ConvertAll(held, value => Math.CopySign(Math.Log(1 + Math.Abs(value)), value)));
        }

        return new()
        {
            HasMissing = hasMissing,
            Low = low,
            High = high,
            IsHeavy = isHeavy,
            Mean = mean,
            Deviation = deviation >= SmallestDeviation ? deviation : 1,
            Fill = isHeavy ? Math.CopySign(Math.Exp(Math.Abs(mean)) - 1, mean) : mean,
        };
    }

    private static (double Mean, double Deviation) Moments(double[] values)
    {
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))));
    }

    // A feature without any finite value: whatever comes later is taken as 0.
    private sealed record Column
    {
        public bool HasMissing { get; init; }

        public double Low { get; init; }

        public double High { get; init; }

        public bool IsHeavy { get; init; }

        public double Mean { get; init; }

        public double Deviation { get; init; } = 1;

        public double Fill { get; init; }
    }
}
