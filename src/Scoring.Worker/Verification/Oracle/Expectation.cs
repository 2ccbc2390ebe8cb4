namespace Scoring.Worker.Verification.Oracle;

/// <summary>What a feature's value must be: one value, a value between two (labels whose moment of telling is not fixed), or nothing that can be said.</summary>
/// <param name="Least">The value, or the least one.</param>
/// <param name="Most">The value, or the largest one.</param>
/// <param name="IsKnown">False where nothing can be said.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct Expectation(double Least, double Most, bool IsKnown)
{
    /// <summary>Counts and sums of doubles agree to this share of the value, or of one where the value is smaller.</summary>
    private const double Tolerance = 1e-9;

    /// <summary>Nothing can be said.</summary>
    public static Expectation Unknown { get; } = new(double.NaN, double.NaN, IsKnown: false);

    /// <summary>Whether there is one value.</summary>
    public bool IsCertain => IsKnown && (Least.Equals(Most));

    /// <summary>One value; NaN is missing.</summary>
    public static Expectation Of(double value) => new(value, value, IsKnown: true);

    /// <summary>Whether a value is as expected; null is missing.</summary>
    /// <param name="found">The value.</param>
    /// <param name="isCounted">Whether it must be equal, not only near.</param>
    public bool Admits(double? found, bool isCounted)
    {
        double value = found ?? double.NaN;
        if (!IsKnown)
        {
            return true;
        }

        if (double.IsNaN(value) || double.IsNaN(Least) || double.IsNaN(Most))
        {
            return (double.IsNaN(value) && (double.IsNaN(Least) || double.IsNaN(Most)))
                || (!double.IsNaN(value) && !IsCertain && (Near(value, Least, isCounted) || Near(value, Most, isCounted)));
        }

        return Near(value, Least, isCounted) || Near(value, Most, isCounted) || (value > Least && value < Most);
    }

    private static bool Near(double value, double expected, bool isCounted) =>
        isCounted ? value.Equals(expected) : Math.Abs(value - expected) <= Tolerance * Math.Max(1, Math.Abs(expected));
}
