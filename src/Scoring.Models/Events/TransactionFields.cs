namespace Scoring.Models.Events;

/// <summary>The fields of our transaction contract (<c>payments.transactions.v1</c>), in the order of the contract.</summary>
public static class TransactionFields
{
    /// <summary>Name of the field that identifies a transaction within its source.</summary>
    public const string TransactionId = "transaction_id";

    /// <summary>Name of the field that says when the transaction happened.</summary>
    public const string EventTime = "event_time";

    /// <summary>Name of the field with the amount in minor units of its currency.</summary>
    public const string AmountMinor = "amount_minor";

    /// <summary>Name of the field with the currency of the amount.</summary>
    public const string Currency = "currency";

    /// <summary>Name of the field that partitions the stream.</summary>
    public const string AccountId = "account_id";

    /// <summary>Name of the field with the merchant.</summary>
    public const string MerchantId = "merchant_id";

    /// <summary>Name of the field with the kind of message: a request, its repeat, an advice.</summary>
    public const string MessageType = "message_type";

    /// <summary>Every field of the contract. The first six are required.</summary>
    public static IReadOnlyList<EventField> All { get; } =
    [
        new(TransactionId, FieldKind.Text, FieldFormat.Token, Required: true, LengthMax: 64),
        new(EventTime, FieldKind.Time, Required: true),
        new(AmountMinor, FieldKind.Integer, Required: true),
        new(Currency, FieldKind.Text, FieldFormat.Currency, Required: true, LengthMax: 3),
        new(AccountId, FieldKind.Text, FieldFormat.Token, Required: true),
        new(MerchantId, FieldKind.Text, FieldFormat.Token, Required: true),
        new(MessageType, FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("transaction_type", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("terminal_id", FieldKind.Text, FieldFormat.Token),
        new("merchant_category_code", FieldKind.Text, FieldFormat.MerchantCategory, LengthMax: 4),
        new("merchant_country", FieldKind.Text, FieldFormat.Country, LengthMax: 2),
        new("card_issuer_country", FieldKind.Text, FieldFormat.Country, LengthMax: 2),
        new("card_bin", FieldKind.Text, FieldFormat.Digits, LengthMax: 8),
        new("card_last4", FieldKind.Text, FieldFormat.Digits, LengthMax: 4),
        new("entry_mode", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("channel", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("card_present", FieldKind.Boolean),
        new("cvm", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("three_ds", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("avs_result", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("cvc_result", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("auth_outcome", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("ip_address", FieldKind.Text, FieldFormat.IpAddress, LengthMax: 45),
        new("ip_country", FieldKind.Text, FieldFormat.Country, LengthMax: 2),
        new("device_id", FieldKind.Text, FieldFormat.Token),
        new("email_hash", FieldKind.Text, FieldFormat.Token),
        new("billing_country", FieldKind.Text, FieldFormat.Country, LengthMax: 2),
        new("shipping_country", FieldKind.Text, FieldFormat.Country, LengthMax: 2),
        new("account_created_at", FieldKind.Time),
        new("latitude", FieldKind.Number, FieldFormat.Latitude),
        new("longitude", FieldKind.Number, FieldFormat.Longitude),
        new("customer_id", FieldKind.Text, FieldFormat.Token),
        new("counterparty_account_id", FieldKind.Text, FieldFormat.Token),
        new("payment_method", FieldKind.Text, FieldFormat.Category, LengthMax: 32),
        new("tenant_id", FieldKind.Text, FieldFormat.Token, LengthMax: 64),
    ];
}
