namespace Scoring.Worker.Verification.Oracle;

/// <summary>What is known of a transaction's label.</summary>
internal sealed class LabelState
{
    /// <summary>Whether a label says fraud.</summary>
    public bool IsFraud { get; set; }

    /// <summary>From when it counts, ms since 1970 UTC.</summary>
    public long CountsFromMs { get; set; }

    /// <summary>Whether it came after its time: then it counts from when it was told, which a live worker may have been a little later.</summary>
    public bool IsLate { get; set; }
}

/// <summary>One event as an entity keeps it.</summary>
/// <param name="TransactionId">Its transaction.</param>
/// <param name="TimeMs">Event time, ms since 1970 UTC.</param>
/// <param name="Label">What is known of it; the events of one transaction share it.</param>
/// <param name="Values">By the entity's number fields: exact units, null where missing.</param>
/// <param name="Identities">By the entity's compared fields: null where missing.</param>
/// <param name="Passes">By feature of the entity: whether the event passes its filter.</param>
internal sealed record OracleEvent(string TransactionId, long TimeMs, LabelState Label, long?[] Values, string?[] Identities, bool[] Passes);
