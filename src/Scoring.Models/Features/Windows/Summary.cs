using System.Runtime.InteropServices;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Windows;

/// <summary>What a window adds up to, in fixed-point units: the same whether it comes from a ring, from panes or from shared panes.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Summary
{
    /// <summary>Events, or values that were there.</summary>
    public long Count;

    /// <summary>Sum of the values.</summary>
    public long Sum;

    /// <summary>Sum of their squares.</summary>
    public Int128 Squares;

    /// <summary>Smallest value; only from panes.</summary>
    public long Min;

    /// <summary>Largest value; only from panes.</summary>
    public long Max;

    /// <summary>Reads the words of an accumulator.</summary>
    public static Summary Read(ReadOnlySpan<long> words, AccumulatorPlan accumulator)
    {
        var summary = new Summary { Count = words[accumulator.Word] };
        if (accumulator.Value >= 0)
        {
            summary.Sum = words[accumulator.Word + 1];
            if (accumulator.Squares)
            {
                summary.Squares = new Int128((ulong)words[accumulator.Word + 3], (ulong)words[accumulator.Word + 2]);
            }
        }

        return summary;
    }

    /// <summary>Adds a value to the words of an accumulator (sign 1) or takes it away (sign -1).</summary>
    public static void Add(Span<long> words, AccumulatorPlan accumulator, long value, int sign)
    {
        words[accumulator.Word] += sign;
        if (accumulator.Value >= 0)
        {
            words[accumulator.Word + 1] += sign * value;
            if (accumulator.Squares)
            {
                var squares = new Int128((ulong)words[accumulator.Word + 3], (ulong)words[accumulator.Word + 2]) + (sign * ((Int128)value * value));
                words[accumulator.Word + 2] = (long)(ulong)squares;
                words[accumulator.Word + 3] = (long)(ulong)(squares >> 64);
            }
        }
    }

    /// <summary>The feature's value.</summary>
    /// <param name="op">Which.</param>
    /// <param name="scale">Fixed-point units of one whole.</param>
    /// <param name="current">The event's own value, or <see cref="FieldSource.Missing"/>; for ratios.</param>
    public readonly double Finish(in FeatureOp op, double scale, long current)
    {
        if (Count <= 0)
        {
            return op.Empty;
        }

        switch (op.Kind)
        {
            case AggregateKind.Count:
                return Count;
            case AggregateKind.Sum:
                return Sum / scale;
            case AggregateKind.Mean:
                return Sum / scale / Count;
            case AggregateKind.Std:
                return Deviation() / scale;
            case AggregateKind.Min:
                return Min / scale;
            case AggregateKind.Max:
                return Max / scale;
            case AggregateKind.RatioToMean:
                return current == FieldSource.Missing || Sum <= 0 ? op.Empty : (double)((Int128)current * Count) / Sum;
            default:
                double deviation = Deviation();
                return current == FieldSource.Missing || deviation <= 0 ? op.Empty : (double)(((Int128)current * Count) - Sum) / Count / deviation;
        }
    }

    /// <summary>Standard deviation of the population (0 for a single value), in fixed-point units.</summary>
    private readonly double Deviation()
    {
        // n * squares - sum^2 is exact in integers; only when that does not fit in 128 bits, doubles do.
        Int128 limit = Int128.MaxValue / Count;
        if (Squares <= limit)
        {
            return Math.Sqrt((double)((Squares * Count) - ((Int128)Sum * Sum))) / Count;
        }

        double mean = (double)Sum / Count;
        return Math.Sqrt(Math.Max(0, ((double)Squares / Count) - (mean * mean)));
    }
}
