namespace Scoring.Models.Events;

/// <summary>What became known about a transaction (<c>fraud.labels.v1</c>), key <c>account_id</c>.</summary>
/// <remarks>The source of the contract's schema; labels are read through <see cref="LabelDecoder"/>. A later label for the same transaction replaces the earlier.</remarks>
public sealed record Label
{
    /// <summary>Identifies the label.</summary>
    public required string LabelId { get; init; }

    /// <summary>The transaction that is labelled.</summary>
    public required string TransactionId { get; init; }

    /// <summary>Its account; the key of the topic.</summary>
    public required string AccountId { get; init; }

    /// <summary>Whether it was fraud; null when nobody can tell. Absent: the network's reason code decides, then the disposition.</summary>
    public bool? IsFraud { get; init; }

    /// <summary>Who says so.</summary>
    public LabelSource? Source { get; init; }

    /// <summary>What kind of fraud, e.g. made_with_stolen_card, account_takeover, card_testing.</summary>
    public string? FraudType { get; init; }

    /// <summary>visa, mastercard or another.</summary>
    public string? Network { get; init; }

    /// <summary>The network's: Visa 10.1 to 10.5 and Mastercard 4837, 4840, 4849, 4863, 4870, 4871 mean fraud, others say nothing.</summary>
    public string? ReasonCode { get; init; }

    /// <summary>confirmed_fraud, false_positive, suspected, inconclusive.</summary>
    public string? Disposition { get; init; }

    /// <summary>The analyst.</summary>
    public string? AnalystId { get; init; }

    /// <summary>When the fraud happened.</summary>
    public DateTimeOffset? OccurredAt { get; init; }

    /// <summary>When it was reported.</summary>
    public DateTimeOffset? ReportedAt { get; init; }

    /// <summary>Time of the transaction, for labels that come after the worker has forgotten it.</summary>
    public DateTimeOffset? TransactionTime { get; init; }

    /// <summary>Merchant of the transaction; any other text field of the transaction may stand here too.</summary>
    public string? MerchantId { get; init; }

    /// <summary>The alert that was answered.</summary>
    public string? AlertId { get; init; }

    /// <summary>The label that this one corrects.</summary>
    public string? Supersedes { get; init; }
}
