namespace Scoring.Models.Definitions;

/// <summary>What becomes of a transaction that is sent again: payment systems repeat what they got no answer to (ISO 8583 repeats).</summary>
/// <remarks>
/// The same <c>transaction_id</c> with the same fields gets the same answer again and counts in no feature; with other fields it is refused.
/// <c>message_type</c> may differ, since a repeat says there that it is one. Looked for in the same partition, where an account's repeats are.
/// </remarks>
public sealed record DuplicateDefinition
{
    /// <summary>How long a transaction is remembered, in event time of its partition. Default 1 hour.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Most transactions a partition remembers for this; those that came first are forgotten first. Default 100,000, about 330 bytes each.</summary>
    public int TransactionsMax { get; init; } = 100_000;
}
