namespace Scoring.Models.Events;

/// <summary>One field that a transaction may have, by its wire name.</summary>
/// <param name="Name">Wire name, <c>snake_case</c>.</param>
/// <param name="Kind">How its column holds it.</param>
/// <param name="Format">What its values must look like.</param>
/// <param name="Required">Whether an event without it is refused.</param>
/// <param name="LengthMax">Most UTF-8 bytes of a text value.</param>
public sealed record EventField(string Name, FieldKind Kind, FieldFormat Format = FieldFormat.Any, bool Required = false, int LengthMax = 128);
