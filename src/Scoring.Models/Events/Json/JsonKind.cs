namespace Scoring.Models.Events.Json;

/// <summary>What a JSON value is.</summary>
internal enum JsonKind : byte
{
    Null,
    False,
    True,
    Number,
    String,
    Object,
    Array,
}
