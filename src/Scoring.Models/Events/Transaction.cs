namespace Scoring.Models.Events;

/// <summary>One transaction as our contract has it (<c>payments.transactions.v1</c>), key <c>account_id</c>.</summary>
/// <remarks>The source of the contract's schema; scoring reads events through <see cref="EventDecoder"/>. Members that are not named here are passed over.</remarks>
public sealed record Transaction
{
    /// <summary>Identifies the transaction within its source; a repeated one is a retry and gets the same answer.</summary>
    public required string TransactionId { get; init; }

    /// <summary>When it happened, RFC 3339 with an offset.</summary>
    public required DateTimeOffset EventTime { get; init; }

    /// <summary>Amount in minor units of its currency, 0 or more.</summary>
    public required long AmountMinor { get; init; }

    /// <summary>ISO 4217 alpha-3; lower case and the numeric code are taken too.</summary>
    public required string Currency { get; init; }

    /// <summary>The account or card as an opaque token, never a card number; the key of the topic.</summary>
    public required string AccountId { get; init; }

    /// <summary>The merchant.</summary>
    public required string MerchantId { get; init; }

    /// <summary>authorization, advice, capture, reversal, refund.</summary>
    public string? MessageType { get; init; }

    /// <summary>purchase, cash_withdrawal, refund, transfer, account_funding, quasi_cash, balance_inquiry.</summary>
    public string? TransactionType { get; init; }

    /// <summary>The terminal.</summary>
    public string? TerminalId { get; init; }

    /// <summary>ISO 18245, four digits as a text.</summary>
    public string? MerchantCategoryCode { get; init; }

    /// <summary>ISO 3166-1 alpha-2; alpha-3 and the numeric code are taken too.</summary>
    public string? MerchantCountry { get; init; }

    /// <summary>Country of the card's issuer, ISO 3166-1.</summary>
    public string? CardIssuerCountry { get; init; }

    /// <summary>First six or eight digits of the card number.</summary>
    public string? CardBin { get; init; }

    /// <summary>Last four digits of the card number.</summary>
    public string? CardLast4 { get; init; }

    /// <summary>chip, contactless, magstripe, manual, ecommerce, cof, token, fallback, unknown.</summary>
    public string? EntryMode { get; init; }

    /// <summary>pos, atm, ecommerce, moto, recurring, unknown.</summary>
    public string? Channel { get; init; }

    /// <summary>Whether the card was there.</summary>
    public bool? CardPresent { get; init; }

    /// <summary>How the cardholder was verified: pin, signature, device, none, unknown.</summary>
    public string? Cvm { get; init; }

    /// <summary>Result of 3-D Secure; absent where it was not used.</summary>
    public string? ThreeDs { get; init; }

    /// <summary>Address check: match, no_match, unavailable, not_checked.</summary>
    public string? AvsResult { get; init; }

    /// <summary>Card verification code check: match, no_match, unavailable, not_checked.</summary>
    public string? CvcResult { get; init; }

    /// <summary>approved, declined, unknown.</summary>
    public string? AuthOutcome { get; init; }

    /// <summary>IPv4 or IPv6 address of the customer.</summary>
    public string? IpAddress { get; init; }

    /// <summary>Country of the IP address, ISO 3166-1.</summary>
    public string? IpCountry { get; init; }

    /// <summary>The customer's device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Keyed hash of the e-mail address.</summary>
    public string? EmailHash { get; init; }

    /// <summary>Country of the billing address, ISO 3166-1.</summary>
    public string? BillingCountry { get; init; }

    /// <summary>Country of the shipping address, ISO 3166-1.</summary>
    public string? ShippingCountry { get; init; }

    /// <summary>When the account was opened.</summary>
    public DateTimeOffset? AccountCreatedAt { get; init; }

    /// <summary>Degrees north, WGS-84.</summary>
    public double? Latitude { get; init; }

    /// <summary>Degrees east, WGS-84.</summary>
    public double? Longitude { get; init; }

    /// <summary>The customer, who may have several accounts.</summary>
    public string? CustomerId { get; init; }

    /// <summary>The other account of a transfer, as a token.</summary>
    public string? CounterpartyAccountId { get; init; }

    /// <summary>card, credit_transfer, instant_transfer, direct_debit, wallet.</summary>
    public string? PaymentMethod { get; init; }

    /// <summary>Tenant within the service.</summary>
    public string? TenantId { get; init; }

    /// <summary>Texts that no feature reads.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
