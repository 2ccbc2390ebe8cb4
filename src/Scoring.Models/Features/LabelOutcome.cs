namespace Scoring.Models.Features;

/// <summary>What became of a label.</summary>
public enum LabelOutcome
{
    /// <summary>It will count (fraud) or is remembered (honest) from its transaction's time plus the delay.</summary>
    Applied,

    /// <summary>As <see cref="Applied"/>, but it came after that time and counts from now.</summary>
    AppliedLate,

    /// <summary>It contradicts an earlier label of its transaction and has replaced it.</summary>
    Replaced,

    /// <summary>It says what an earlier label said.</summary>
    Repeated,

    /// <summary>Its transaction is not known (yet): it waits for it.</summary>
    Waiting,

    /// <summary>It says neither fraud nor honest.</summary>
    Unknown,
}
