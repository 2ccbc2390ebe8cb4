namespace Scoring.Models.Events;

/// <summary>How the values of one event field are held in a column.</summary>
public enum FieldKind
{
    /// <summary>UTF-8 bytes, compared as they are: identifiers, codes, categories.</summary>
    Text,

    /// <summary>A double; NaN where the event has none.</summary>
    Number,

    /// <summary>A 64-bit integer; <see cref="long.MinValue"/> where the event has none.</summary>
    Integer,

    /// <summary>Milliseconds since 1970-01-01 UTC; <see cref="long.MinValue"/> where the event has none.</summary>
    Time,

    /// <summary>1, 0, or -1 where the event has none.</summary>
    Boolean,
}
