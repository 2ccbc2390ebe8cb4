namespace Scoring.Models.Events;

/// <summary>Why an event was not taken: a value, never an exception.</summary>
/// <param name="Code">The rule it breaks.</param>
/// <param name="Field">The field or header concerned, as the customer names it (path of the mapping); empty where it is the whole value.</param>
/// <param name="ByteOffset">Where in the value, 0 where unknown.</param>
public readonly record struct Refusal(RefusalCode Code, string Field, int ByteOffset)
{
    /// <summary>The event is good.</summary>
    public static readonly Refusal None = new(RefusalCode.None, "", 0);

    /// <summary>Whether there is nothing to refuse.</summary>
    public bool IsNone => Code == RefusalCode.None;
}
