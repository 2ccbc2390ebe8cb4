namespace Scoring.Models.Events;

/// <summary>A transaction whose decision is review or decline (<c>fraud.alerts.v1</c>): its score and what an analyst needs to act.</summary>
public sealed record Alert : Score
{
    /// <summary>Deterministic UUID (version 5) of service, transaction, model package and definition.</summary>
    public required Guid AlertId { get; init; }

    /// <summary>How urgent it is.</summary>
    public required AlertSeverity Severity { get; init; }

    /// <summary>Amount in minor units of <see cref="Currency"/>.</summary>
    public required long AmountMinor { get; init; }

    /// <summary>ISO 4217 alpha-3.</summary>
    public required string Currency { get; init; }

    /// <summary>The merchant.</summary>
    public required string MerchantId { get; init; }

    /// <summary>The terminal; absent where the transaction names none, as are the other facts.</summary>
    public string? TerminalId { get; init; }

    /// <summary>ISO 18245, 4 digits.</summary>
    public string? MerchantCategoryCode { get; init; }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public string? MerchantCountry { get; init; }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public string? CardIssuerCountry { get; init; }

    /// <summary>What kind of transaction.</summary>
    public string? TransactionType { get; init; }

    /// <summary>What it was paid with.</summary>
    public string? PaymentMethod { get; init; }

    /// <summary>How the card was read.</summary>
    public string? EntryMode { get; init; }

    /// <summary>Where it was paid.</summary>
    public string? Channel { get; init; }

    /// <summary>Whether the card was there.</summary>
    public bool? CardPresent { get; init; }

    /// <summary>Every feature that moved the score, the strongest first: with <see cref="BaseLogOdds"/> they add up to the model's log-odds.</summary>
    public required IReadOnlyList<Evidence> Evidence { get; init; }

    /// <summary>Log-odds of fraud before any feature is looked at; null where there is no explanation.</summary>
    public required double? BaseLogOdds { get; init; }

    /// <summary>Money at risk in minor units of <see cref="Currency"/>: the amount of this transaction.</summary>
    public required long ExposureMinor { get; init; }
}

/// <summary>How urgent an alert is.</summary>
/// <remarks>
/// Of a decline: critical when the score is at least half-way from the decline threshold to 1, else high.
/// Of a review: medium when a rule asked for it, when there is no score, or when the score is at least half-way from the review to the decline threshold, else low.
/// </remarks>
public enum AlertSeverity
{
    /// <summary>Look when there is time.</summary>
    Low,

    /// <summary>Look today.</summary>
    Medium,

    /// <summary>Look soon: the payment was declined.</summary>
    High,

    /// <summary>Look now: declined, and almost certainly fraud.</summary>
    Critical,
}
