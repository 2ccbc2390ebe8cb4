using System.Text;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>One field of the event, as the oracle reads it.</summary>
/// <remarks>Amounts are known to 1e-4 of the major unit and other numbers to 1e-6, as the definition's documentation says; neither is larger than 2^50 of these.</remarks>
internal sealed class OracleField
{
    private const long UnitsMax = 1L << 50;
    private const long MillionthsOfOne = 1_000_000;
    private const long AmountUnitsOfOne = 10_000;

    private static readonly long[] PowersOfTen = [1, 10, 100, 1_000, 10_000];

    private readonly EventSchema schema;
    private readonly FieldKind kind;
    private readonly int column;
    private readonly bool isAmount;

    /// <summary>Finds a field.</summary>
    /// <param name="schema">Columns of the events.</param>
    /// <param name="name">A mapped field, or <c>amount</c>.</param>
    /// <exception cref="ArgumentException">There is no such field: the definition was not checked.</exception>
    public OracleField(EventSchema schema, string name)
    {
        this.schema = schema;
        isAmount = name is "amount";
        int index = schema.IndexOf(isAmount ? TransactionFields.AmountMinor : name);
        if (index < 0)
        {
            throw new ArgumentException($"there is no field {name}", nameof(name));
        }

        kind = schema.Fields[index].Kind;
        column = schema.ColumnIndex(index);
        UnitsOfOne = isAmount ? AmountUnitsOfOne : kind == FieldKind.Number ? MillionthsOfOne : 1;
    }

    /// <summary>How many units of <see cref="Units"/> make one.</summary>
    public long UnitsOfOne { get; }

    /// <summary>The value in whole units; null where the event lacks it.</summary>
    public long? Units(TransactionBatch batch, int row)
    {
        switch (kind)
        {
            case FieldKind.Integer when isAmount:
                long minor = batch.Integers(column)[row];
                long unitsOfMinor = PowersOfTen[4 - CurrencyExponents.Of(batch.Currencies[row])];
                return minor == long.MinValue ? null : Bounded(minor, UnitsMax / unitsOfMinor) * unitsOfMinor;
            case FieldKind.Integer:
                long integer = batch.Integers(column)[row];
                return integer == long.MinValue ? null : Bounded(integer, UnitsMax);
            case FieldKind.Boolean:
                return batch.Booleans(column)[row] is >= 0 and var flag ? flag : null;
            case FieldKind.Time:
                return Time(batch, row);
            case FieldKind.Number:
                double number = batch.Numbers(column)[row];
                return double.IsFinite(number) ? (long)Math.Clamp(Math.Round(number * MillionthsOfOne), -UnitsMax, UnitsMax) : null;
            default:
                return null;
        }
    }

    /// <summary>The value as it stands in the event, for features that are the field itself; NaN where the event lacks it.</summary>
    public double Plain(TransactionBatch batch, int row)
    {
        if (isAmount)
        {
            long minor = batch.Integers(schema.AmountMinor)[row];
            return minor == long.MinValue ? double.NaN : CurrencyExponents.Major(minor, batch.Currencies[row]);
        }

        return kind switch
        {
            FieldKind.Number => double.IsFinite(batch.Numbers(column)[row]) ? batch.Numbers(column)[row] : double.NaN,
            FieldKind.Integer => batch.Integers(column)[row] is var integer && integer == long.MinValue ? double.NaN : integer,
            _ => Units(batch, row) ?? double.NaN,
        };
    }

    /// <summary>What <c>distinct</c> and <c>run_length</c> compare: the text, or a number's units in digits; null where the event lacks it.</summary>
    public string? Identity(TransactionBatch batch, int row) =>
        kind == FieldKind.Text ? Text(batch, row) : Units(batch, row)?.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The text; null where the event lacks it.</summary>
    public string? Text(TransactionBatch batch, int row)
    {
        var text = batch.Text(column)[row];
        return text.IsEmpty ? null : Encoding.UTF8.GetString(text);
    }

    /// <summary>The time, ms since 1970 UTC; null where the event lacks it.</summary>
    public long? Time(TransactionBatch batch, int row) => batch.Times(column)[row] is var time && time == long.MinValue ? null : time;

    private static long Bounded(long value, long bound) => Math.Clamp(value, -bound, bound);
}
