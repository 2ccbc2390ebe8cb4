using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>What stands between features as they are computed and numbers that a network learns from. Fitted on training rows, published as part of the graph.</summary>
/// <remarks>
/// Per feature: 1. a missing value (NaN) becomes the mean, and a column of its own says so where training had missing ones; 2. values
/// are held between the lowest and the highest finite one of training, infinities too; 3. a feature with a heavy tail (a value more than
/// 8 standard deviations from the mean) becomes <c>sign(x) ln(1 + |x|)</c>; 4. mean 0, standard deviation 1; a constant one is always 0;
/// 5. where asked for, the piecewise linear encoding between quantiles is added (Gorishniy, Rubachev and Babenko, "On embeddings for
/// numerical features in tabular deep learning", NeurIPS 2022). Whatever the features are, the prepared values are finite.
/// </remarks>
internal sealed class InputPreparation
{
    private const double HeavyTailDeviations = 8;

    private readonly Column[] columns;

    private InputPreparation(Column[] columns) => this.columns = columns;

    /// <summary>Features of a row.</summary>
    public int FeatureCount => columns.Length;

    /// <summary>Prepared values of a row.</summary>
    public int Width => columns.Length + columns.Count(column => column.HasMissing) + columns.Sum(column => column.PieceCount);

    /// <summary>Fits on rows.</summary>
    /// <param name="rows">Features of each row, at least one row.</param>
    /// <param name="pieces">Most pieces of a feature's piecewise linear encoding; 0 for none.</param>
    public static InputPreparation Fit(IReadOnlyList<float[]> rows, int pieces) =>
        new([.. Enumerable.Range(0, rows[0].Length).Select(feature => Fit([.. rows.Select(row => row[feature])], pieces))]);

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
        List<GraphTensor> parts = [graph.Binary("Div", graph.Binary("Sub", tamed, Row(column => column.Mean)), Row(column => column.Deviation))];

        long[] missing = [.. Indices(column => column.HasMissing ? 1 : 0)];
        if (missing.Length > 0)
        {
            var isMissing = graph.Unary("Cast", graph.Unary("Not", isPresent), OnnxSetting.Of("to", (long)graph.ElementType));
            parts.Add(graph.Columns(isMissing, missing));
        }

        long[] pieces = [.. Indices(column => column.PieceCount)];
        if (pieces.Length > 0)
        {
            double[] starts = [.. columns.SelectMany(column => column.Knots.SkipLast(1))];
            double[] widths = [.. columns.SelectMany(column => column.Knots.Zip(column.Knots.Skip(1), (from, to) => to - from))];
            var shares = graph.Binary("Div", graph.Binary("Sub", graph.Columns(held, pieces), graph.Constant(starts, starts.Length)), graph.Constant(widths, widths.Length));
            parts.Add(graph.Node("Clip", [shares, graph.Scalar(0), graph.Scalar(1)], shares.Dimensions));
        }

        return parts.Count == 1 ? parts[0] : graph.Concatenate(1, [.. parts]);

        GraphTensor Row(Func<Column, double> value) => graph.Constant(Array.ConvertAll(columns, column => value(column)), columns.Length);
    }

    private static GraphTensor SignedLog(GraphBuilder graph, GraphTensor x)
    {
        var one = graph.Scalar(1);
        var above = graph.Unary("Log", graph.Binary("Add", graph.Unary("Relu", x), one));
        var below = graph.Unary("Log", graph.Binary("Add", graph.Unary("Relu", graph.Unary("Neg", x)), one));
        return graph.Binary("Sub", above, below);
    }

    private static Column Fit(float[] values, int pieces)
    {
        double[] finite = [.. values.Where(float.IsFinite).Select(value => (double)value)];
        bool hasMissing = Array.Exists(values, float.IsNaN) && !Array.TrueForAll(values, float.IsNaN);
        if (finite.Length == 0)
        {
            return new() { HasMissing = hasMissing };
        }

        Array.Sort(finite);
        var (low, high) = (finite[0], finite[^1]);
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
            Deviation = (float)deviation > 0 ? deviation : 1,
            Fill = isHeavy ? Math.CopySign(Math.Exp(Math.Abs(mean)) - 1, mean) : mean,
            Knots = pieces == 0 ? [] : Quantiles(finite, pieces),
        };
    }

    private static (double Mean, double Deviation) Moments(double[] values)
    {
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))));
    }

    // Ends of the pieces: quantiles, each value once; a constant feature has no piece.
    private static double[] Quantiles(double[] sorted, int pieces)
    {
        double[] knots = [.. Enumerable.Range(0, pieces + 1).Select(i => sorted[(int)((long)(sorted.Length - 1) * i / pieces)]).Distinct()];
        return knots.Length < 2 ? [] : knots;
    }

    private IEnumerable<long> Indices(Func<Column, int> times) =>
        columns.SelectMany((column, index) => Enumerable.Repeat((long)index, times(column)));

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

        public double[] Knots { get; init; } = [];

        public int PieceCount => Math.Max(0, Knots.Length - 1);
    }
}
