namespace Scoring.Models.Events.Json;

/// <summary>The value of a mapped member, as a sink gets it.</summary>
internal readonly ref struct JsonValue(JsonKind kind, ReadOnlySpan<byte> text, bool isInteger)
{
    public readonly JsonKind Kind = kind;

    /// <summary>A string with its escapes resolved, or the characters of a number; empty otherwise.</summary>
    public readonly ReadOnlySpan<byte> Text = text;

    /// <summary>Whether a number has neither point nor exponent.</summary>
    public readonly bool IsInteger = isInteger;
}
