using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scoring.Models.Events.Scores;

/// <summary>How <see cref="Score"/> and <see cref="Alert"/> are read back: strictly, as a subscriber would.</summary>
public static class OutputJson
{
    /// <summary>Snake case, enums by name, unknown and duplicate members refused, nulls only where the record allows them.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };
}
