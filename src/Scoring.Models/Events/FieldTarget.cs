using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>How the values of one field are read.</summary>
internal enum FieldUnit
{
    /// <summary>As it is: texts, numbers, minor units, RFC 3339.</summary>
    Plain,

    /// <summary>Money as a decimal number of major units.</summary>
    Major,

    /// <summary>Money as millionths of a major unit.</summary>
    Micros,

    /// <summary>Time in seconds from an epoch.</summary>
    Seconds,

    /// <summary>Time in milliseconds from an epoch.</summary>
    Milliseconds,

    /// <summary>Time in microseconds from an epoch.</summary>
    Microseconds,
}

/// <summary>Where the values of one field go and how they are read: a mapping, compiled.</summary>
internal sealed class FieldTarget
{
    public FieldTarget(EventSchema schema, int fieldIndex, FieldMapping mapping)
    {
        Field = schema.Fields[fieldIndex];
        Column = schema.ColumnIndex(fieldIndex);
        Display = mapping.Path ?? Field.Name;
        Names = mapping.Path is { } path ? MemberPath.Split(path) ?? throw new ArgumentException($"{path} is no path", nameof(mapping)) : null;
        Constant = mapping.Constant is { } constant ? Encoding.UTF8.GetBytes(constant) : null;
        EpochMs = mapping.Epoch?.ToUnixTimeMilliseconds() ?? 0;
        AllowInteger = mapping.AllowInteger;
        IsToken = mapping.Token;
        Round = mapping.Round;
        Unit = mapping.Unit switch
        {
            "major" => FieldUnit.Major,
            "micros" => FieldUnit.Micros,
            "seconds" => FieldUnit.Seconds,
            "milliseconds" => FieldUnit.Milliseconds,
            "microseconds" => FieldUnit.Microseconds,
            _ => FieldUnit.Plain,
        };
    }

    public EventField Field { get; }

    public int Column { get; }

    /// <summary>The field as the customer names it.</summary>
    public string Display { get; }

    /// <summary>Member names of its path; null for a constant.</summary>
    public IReadOnlyList<string>? Names { get; }

    public byte[]? Constant { get; }

    public FieldUnit Unit { get; }

    public long EpochMs { get; }

    public bool AllowInteger { get; }

    public bool IsToken { get; }

    public bool Round { get; }

    /// <summary>The targets of a definition's events, one per field of the schema, in its order.</summary>
    public static FieldTarget[] Compile(ServiceDefinition definition, EventSchema schema)
    {
        var targets = new FieldTarget[schema.Fields.Count];
        for (int i = 0; i < targets.Length; i++)
        {
            string name = schema.Fields[i].Name;
            var mapping = definition.Events.Attributes.TryGetValue(name, out var attribute) ? attribute
                : definition.Events.Fields is { } fields ? fields[name]
                : new FieldMapping { Path = name };
            targets[i] = new FieldTarget(schema, i, mapping);
        }

        return targets;
    }

    /// <summary>Writes the constant into a row. The definition was checked: it is good.</summary>
    public void WriteConstant(TransactionBatch batch, int row)
    {
        switch (Field.Kind)
        {
            case FieldKind.Text:
                TextFormats.Check(Field.Format, Field.LengthMax, Constant, out var taken);
                batch.Text(Column).Set(row, taken);
                break;
            case FieldKind.Integer when DecimalNumber.TryParse(Constant, out var number) && number.TryScale(0, out long integer, out _):
                batch.Integers(Column)[row] = integer;
                break;
            case FieldKind.Number when DecimalNumber.TryParseDouble(Constant, out double value):
                batch.Numbers(Column)[row] = value;
                break;
            case FieldKind.Time when Rfc3339.TryParse(Constant, out long timeMs):
                batch.Times(Column)[row] = timeMs;
                break;
            case FieldKind.Boolean:
                batch.Booleans(Column)[row] = Constant.AsSpan().SequenceEqual("true"u8) ? (sbyte)1 : (sbyte)0;
                break;
        }
    }
}
