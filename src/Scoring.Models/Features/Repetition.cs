namespace Scoring.Models.Features;

/// <summary>Whether an event is one that came before.</summary>
public enum Repetition : byte
{
    /// <summary>It is not, or it is too long ago, or the definition does not ask.</summary>
    None,

    /// <summary>The same transaction with the same fields: it has its answer, and counts in no feature.</summary>
    Repeat,

    /// <summary>The identifier of another transaction: it is refused, and counts in no feature.</summary>
    Conflict,
}
