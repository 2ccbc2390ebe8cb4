using System.Collections.ObjectModel;

namespace Scoring.Models.Definitions;

/// <summary>Where the fields of a transaction stand in the customer's events.</summary>
public sealed record EventMapping
{
    /// <summary>By wire name of our contract. A field that is not listed is not read; without this section our own names are read at the top level.</summary>
    public IReadOnlyDictionary<string, FieldMapping>? Fields { get; init; }

    /// <summary>Fields of the customer's own that features and rules may use, by the name they get here.</summary>
    public IReadOnlyDictionary<string, AttributeMapping> Attributes { get; init; } = ReadOnlyDictionary<string, AttributeMapping>.Empty;
}

/// <summary>Where one field of our contract comes from: a path or a constant.</summary>
public record FieldMapping
{
    /// <summary>Member names from the event's top, separated by dots: <c>data.amount.value</c>.</summary>
    public string? Path { get; init; }

    /// <summary>The value every event has, instead of a path.</summary>
    public string? Constant { get; init; }

    /// <summary>Money: <c>minor</c> (default, an integer), <c>major</c> (a decimal number, up to the currency's exponent of digits), <c>micros</c>. Time: <c>rfc3339</c> (default), <c>seconds</c>, <c>milliseconds</c>, <c>microseconds</c>.</summary>
    public string? Unit { get; init; }

    /// <summary>Time as a number: what it counts from, RFC 3339; 1970-01-01T00:00:00Z by default.</summary>
    public DateTimeOffset? Epoch { get; init; }

    /// <summary>Money in major units or micros: whether digits beyond the currency's are rounded, half up, instead of refused. For sources that compute amounts in binary floating point (85.64999999999999). Off by default.</summary>
    public bool Round { get; init; }

    /// <summary>Whether an identifier that comes as a JSON integer is taken as its decimal digits. Off by default.</summary>
    public bool AllowInteger { get; init; }

    /// <summary>Whether a value that looks like a card number (13 to 19 digits, prefix 2 to 6, Luhn) is known to be a token and taken. Off by default.</summary>
    public bool Token { get; init; }
}

/// <summary>Where a field of the customer's own comes from, and what it is.</summary>
public sealed record AttributeMapping : FieldMapping
{
    /// <summary><c>text</c>, <c>number</c>, <c>integer</c>, <c>boolean</c> or <c>time</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Whether an event without it is refused.</summary>
    public bool Required { get; init; }
}
