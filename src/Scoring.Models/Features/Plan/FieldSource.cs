using System.IO.Hashing;
using System.Runtime.InteropServices;
using Scoring.Models.Events;

namespace Scoring.Models.Features.Plan;

/// <summary>Where a value of the event is read from.</summary>
internal enum FieldOrigin
{
    /// <summary><c>amount_minor</c> in units of 1e-4 of the major unit: exact for every ISO 4217 currency.</summary>
    Amount,
    Text,
    Number,
    Integer,
    Time,
    Boolean,
}

/// <summary>One field of the event as features read it.</summary>
/// <param name="Origin">Which kind of column.</param>
/// <param name="Column">The column among those of its kind.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FieldSource(FieldOrigin Origin, int Column)
{
    /// <summary>Stands for a value that the event does not have.</summary>
    public const long Missing = long.MinValue;

    /// <summary>Largest magnitude of a fixed-point value; what lies beyond is held at it. 8,192 of them add up within 64 bits.</summary>
    public const long Limit = 1L << 50;

    private static readonly long[] AmountFactors = [10_000, 1_000, 100, 10, 1];

    /// <summary>Fixed-point units of one whole.</summary>
    public double Scale => Origin switch
    {
        FieldOrigin.Amount => 10_000,
        FieldOrigin.Number => 1_000_000,
        _ => 1,
    };

    /// <summary>The value as an exact integer in units of 1 / <see cref="Scale"/>, or <see cref="Missing"/>.</summary>
    /// <remarks>Sums over integers can be added to and taken from for ever without drift.</remarks>
    public long Fixed(TransactionBatch batch, int row)
    {
        switch (Origin)
        {
            case FieldOrigin.Amount:
                long minor = batch.Integers(batch.Schema.AmountMinor)[row];
                if (minor == Missing)
                {
                    return Missing;
                }

                long factor = AmountFactors[CurrencyExponents.Of(batch.Currencies[row])];
                return Math.Clamp(minor, -Limit / factor, Limit / factor) * factor;
            case FieldOrigin.Integer:
                long integer = batch.Integers(Column)[row];
                return integer == Missing ? Missing : Math.Clamp(integer, -Limit, Limit);
            case FieldOrigin.Time:
                return batch.Times(Column)[row];
            case FieldOrigin.Boolean:
                sbyte boolean = batch.Booleans(Column)[row];
                return boolean < 0 ? Missing : boolean;
            case FieldOrigin.Number:
                double number = batch.Numbers(Column)[row];
                return double.IsFinite(number) ? (long)Math.Clamp(Math.Round(number * 1_000_000), -Limit, Limit) : Missing;
            default:
                return Missing;
        }
    }

    /// <summary>The value as a double, NaN when missing.</summary>
    public double Number(TransactionBatch batch, int row)
    {
        switch (Origin)
        {
            case FieldOrigin.Amount:
                long minor = batch.Integers(batch.Schema.AmountMinor)[row];
                return minor == Missing ? double.NaN : CurrencyExponents.Major(minor, batch.Currencies[row]);
            case FieldOrigin.Number:
                double number = batch.Numbers(Column)[row];
                return double.IsFinite(number) ? number : double.NaN;
            case FieldOrigin.Integer:
                long integer = batch.Integers(Column)[row];
                return integer == Missing ? double.NaN : integer;
            default:
                long value = Fixed(batch, row);
                return value == Missing ? double.NaN : value;
        }
    }

    /// <summary>A word that is equal for equal values, for <c>distinct</c> and <c>run_length</c>; <see cref="Missing"/> when missing.</summary>
    /// <param name="batch">The events.</param>
    /// <param name="row">Which one.</param>
    /// <param name="seed">The plan's own, the same in every process.</param>
    public long Identity(TransactionBatch batch, int row, long seed)
    {
        if (Origin != FieldOrigin.Text)
        {
            return Fixed(batch, row);
        }

        var text = batch.Text(Column)[row];
        if (text.IsEmpty)
        {
            return Missing;
        }

        long hash = (long)XxHash3.HashToUInt64(text, seed);
        return hash == Missing ? 0 : hash;
    }
}
