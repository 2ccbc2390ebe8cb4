namespace Scoring.Models.Definitions.Predicates;

/// <summary>What a value of a predicate is.</summary>
internal enum PredicateType
{
    /// <summary>A double; times are milliseconds since 1970 UTC.</summary>
    Number,

    /// <summary>UTF-8 bytes.</summary>
    Text,

    /// <summary>True, false, or missing (a field).</summary>
    Boolean,

    /// <summary>The word <c>null</c>.</summary>
    Null,

    /// <summary>A fault has been told already; fits everything, so that it is told once.</summary>
    Unknown,
}

/// <summary>Where the value of a name comes from.</summary>
internal enum PredicateSource
{
    Text,
    Number,
    Integer,
    Time,
    Boolean,
    Amount,
    Feature,
    Score,
    Extra,
}

/// <summary>A name that a predicate may use.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="Type">What it is.</param>
/// <param name="Source">Where its value comes from.</param>
/// <param name="Index">Column among those of its kind, feature index, or place in the extras.</param>
internal sealed record PredicateName(string Name, PredicateType Type, PredicateSource Source, int Index = 0);
