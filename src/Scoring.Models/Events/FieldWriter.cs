using System.Buffers.Text;
using Scoring.Models.Events.Json;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>Checks one JSON value against its field and writes it into its column.</summary>
internal static class FieldWriter
{
    // 0001-01-01 to 9999-12-31, as RFC 3339 can write them.
    private const long EarliestMs = -62_135_596_800_000;
    private const long LatestMs = 253_402_300_799_999;

    /// <summary>Writes a value that is not null and, where it is money, in minor units.</summary>
    public static RefusalCode Write(FieldTarget target, scoped in JsonValue value, TransactionBatch batch, int row) => target.Field.Kind switch
    {
        FieldKind.Text => Text(target, value, batch.Text(target.Column), row),
        FieldKind.Time => Time(target, value, ref batch.Times(target.Column)[row]),
        FieldKind.Integer => Integer(target, value, ref batch.Integers(target.Column)[row]),
        FieldKind.Number => Number(target, value, ref batch.Numbers(target.Column)[row]),
        _ => Boolean(value, ref batch.Booleans(target.Column)[row]),
    };

    /// <summary>Reads a time that is not null.</summary>
    public static RefusalCode Time(FieldTarget target, scoped in JsonValue value, ref long timeMs)
    {
        if (target.Unit == FieldUnit.Plain)
        {
            if (value.Kind != JsonKind.String)
            {
                return RefusalCode.WrongType;
            }

            bool good = Rfc3339.TryParse(value.Text, out long parsed);
            timeMs = good ? parsed : timeMs;
            return good ? RefusalCode.None : RefusalCode.BadTime;
        }

        if (value.Kind != JsonKind.Number)
        {
            return RefusalCode.WrongType;
        }

        int digits = target.Unit == FieldUnit.Seconds ? 3 : target.Unit == FieldUnit.Milliseconds ? 0 : -3;
        if (!DecimalNumber.TryParse(value.Text, out var number) || !number.TryScale(digits, out long sinceEpochMs, out _)
            || sinceEpochMs is < -LatestMs or > LatestMs || sinceEpochMs + target.EpochMs is < EarliestMs or > LatestMs)
        {
            return RefusalCode.NumberOutOfRange;
        }

        timeMs = sinceEpochMs + target.EpochMs;
        return RefusalCode.None;
    }

    private static RefusalCode Text(FieldTarget target, scoped in JsonValue value, TextColumn column, int row)
    {
        if (value.Kind == JsonKind.Number && target.AllowInteger && value.IsInteger)
        {
            // Strings were looked at by the walk; an integer becomes a text only here.
            if (!target.IsToken && CardNumbers.IsSuspected(value.Text))
            {
                return RefusalCode.PanSuspected;
            }
        }
        else if (value.Kind != JsonKind.String)
        {
            return RefusalCode.WrongType;
        }

        var code = TextFormats.Check(target.Field.Format, target.Field.LengthMax, value.Text, out var taken);
        if (code == RefusalCode.None)
        {
            column.Set(row, taken);
        }

        return code;
    }

    private static RefusalCode Integer(FieldTarget target, scoped in JsonValue value, ref long destination)
    {
        if (value.Kind != JsonKind.Number || !value.IsInteger)
        {
            return RefusalCode.WrongType;
        }

        // long.MinValue means missing in a column.
        if (!Utf8Parser.TryParse(value.Text, out long integer, out _) || integer == long.MinValue)
        {
            return RefusalCode.NumberOutOfRange;
        }

        if (integer < 0 && target.Field.Name is TransactionFields.AmountMinor)
        {
            return RefusalCode.NegativeAmount;
        }

        destination = integer;
        return RefusalCode.None;
    }

    private static RefusalCode Number(FieldTarget target, scoped in JsonValue value, ref double destination)
    {
        if (value.Kind != JsonKind.Number)
        {
            return RefusalCode.WrongType;
        }

        if (!DecimalNumber.TryParseDouble(value.Text, out double number))
        {
            return RefusalCode.NumberOutOfRange;
        }

        double limit = target.Field.Format switch
        {
            FieldFormat.Latitude => 90,
            FieldFormat.Longitude => 180,
            _ => double.MaxValue,
        };
        if (Math.Abs(number) > limit)
        {
            return RefusalCode.NumberOutOfRange;
        }

        destination = number;
        return RefusalCode.None;
    }

    private static RefusalCode Boolean(scoped in JsonValue value, ref sbyte destination)
    {
        if (value.Kind is not (JsonKind.True or JsonKind.False))
        {
            return RefusalCode.WrongType;
        }

        destination = value.Kind == JsonKind.True ? (sbyte)1 : (sbyte)0;
        return RefusalCode.None;
    }
}
