namespace Scoring.Models.Decisions;

/// <summary>What to do with a payment, from the mildest to the strictest.</summary>
public enum Decision
{
    /// <summary>Let it pass.</summary>
    Approve,

    /// <summary>Let an analyst look at it.</summary>
    Review,

    /// <summary>Refuse it.</summary>
    Decline,
}
