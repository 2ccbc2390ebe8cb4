using System.Globalization;

namespace Scoring.Benchmarks.Measuring;

/// <summary>What a ratio divides.</summary>
internal enum RatioOf
{
    /// <summary>Our time by the rival's: less is better.</summary>
    Time,

    /// <summary>Our speed by the rival's: more is better.</summary>
    Speed,
}

/// <summary>The outcome of one contest.</summary>
internal sealed record Ratio
{
    /// <summary>What was compared.</summary>
    public required string Name { get; init; }

    /// <summary>Our cost per item, with its unit.</summary>
    public required string Ours { get; init; }

    /// <summary>The rival, and its cost.</summary>
    public required string Rival { get; init; }

    /// <summary>What the ratio divides.</summary>
    public required RatioOf Of { get; init; }

    /// <summary>A ratio per pass.</summary>
    public required IReadOnlyList<double> Passes { get; init; }

    /// <summary>What our side allocates per item, bytes; null where that is another process.</summary>
    public double? BytesPerItem { get; init; }

    /// <summary>What the ratio is meant to reach.</summary>
    public string Goal { get; init; } = "";

    /// <summary>The middle one of <see cref="Passes"/>.</summary>
    public double Median => MedianOf(Passes);

    /// <summary>The middle value.</summary>
    public static double MedianOf(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }

    /// <summary>A number with three significant digits, or whole.</summary>
    public static string Text(double value) => value.ToString(
        value switch { < 10 => "0.00", < 100 => "0.0", _ => "#,0" }, CultureInfo.InvariantCulture);
}
