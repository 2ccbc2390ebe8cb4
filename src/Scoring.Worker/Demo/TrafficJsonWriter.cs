using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Scoring.Worker.Demo;

/// <summary>Writes simulated transactions and labels as JSON of our contract. Reuses its memory; what it returns is good until the next call.</summary>
/// <remarks>Identifiers carry a letter in front of at most twelve digits: none can be taken for a card number.</remarks>
internal sealed class TrafficJsonWriter : IDisposable
{
    private static readonly JsonEncodedText[] Countries = Array.ConvertAll(TrafficGeography.Countries, static country => JsonEncodedText.Encode(country));
    private static readonly JsonEncodedText[] EntryModes = Texts("chip", "contactless", "magstripe", "ecommerce", "cof");
    private static readonly JsonEncodedText[] Verifications = Texts("none", "pin", "signature", "device");
    private static readonly JsonEncodedText[] Authentications = Texts("", "frictionless", "challenged", "attempted");
    private static readonly JsonEncodedText[] Sources = Texts("chargeback", "fraud_report", "analyst");
    private static readonly JsonEncodedText[] FraudTypes = Texts(
        "", "card_testing", "account_takeover", "made_with_stolen_card", "made_with_counterfeit_card", "unauthorized_use_of_card", "stored_credential_misuse");

    private readonly TrafficWorld world;
    private readonly ArrayBufferWriter<byte> buffer = new(1024);
    private readonly Utf8JsonWriter json;

    /// <summary>Writes for <paramref name="world"/>.</summary>
    public TrafficJsonWriter(TrafficWorld world)
    {
        this.world = world;
        json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>One transaction, UTF-8, no line end.</summary>
    public ReadOnlySpan<byte> Write(SimulatedTransaction transaction)
    {
        Begin();
        WriteId("transaction_id"u8, "t"u8, transaction.Sequence);
        WriteTime("event_time"u8, transaction.EventTimeMs);
        json.WriteNumber("amount_minor"u8, transaction.AmountMinor);
        json.WriteString("currency"u8, world.Merchants.Currencies[transaction.Merchant]);
        WriteId("account_id"u8, "a"u8, transaction.Account);
        WriteId("merchant_id"u8, "m"u8, transaction.Merchant);
        json.WriteString("message_type"u8, "authorization"u8);
        bool cash = world.Merchants.Categories[transaction.Merchant].IsCashMachine;
        json.WriteString("transaction_type"u8, cash ? "cash_withdrawal"u8 : "purchase"u8);
        if (transaction.CardPresent)
        {
            WriteId("terminal_id"u8, "p"u8, transaction.Terminal);
        }

        json.WriteString("merchant_category_code"u8, world.Merchants.Categories[transaction.Merchant].Code);
        json.WriteString("merchant_country"u8, Countries[world.Merchants.Countries[transaction.Merchant]]);
        json.WriteString("card_issuer_country"u8, Countries[world.Accounts.HomeCountry(transaction.Account)]);
        json.WriteString("entry_mode"u8, EntryModes[(int)transaction.EntryMode]);
        json.WriteString("channel"u8, cash ? "atm"u8 : transaction.CardPresent ? "pos"u8 : transaction.Device == 0 ? "recurring"u8 : "ecommerce"u8);
        json.WriteString("auth_outcome"u8, transaction.Declined ? "declined"u8 : "approved"u8);
        json.WriteBoolean("card_present"u8, transaction.CardPresent);
        if (transaction.CardPresent)
        {
            json.WriteString("cvm"u8, Verifications[(int)transaction.Verification]);
            json.WriteNumber("latitude"u8, world.Merchants.Latitudes[transaction.Merchant]);
            json.WriteNumber("longitude"u8, world.Merchants.Longitudes[transaction.Merchant]);
        }
        else
        {
            WriteOnlinePart(transaction);
        }

        WriteTime("account_created_at"u8, world.Accounts.CreatedAtMs[transaction.Account]);
        json.WriteString("payment_method"u8, "card"u8);
        return End();
    }

    /// <summary>One label, UTF-8, no line end. It names its transaction's time, merchant and terminal, so that no table is needed to join it.</summary>
    public ReadOnlySpan<byte> Write(in SimulatedLabel label)
    {
        Begin();
        WriteId("label_id"u8, "l"u8, label.Sequence);
        WriteId("transaction_id"u8, "t"u8, label.Sequence);
        WriteTime("transaction_time"u8, label.TransactionTimeMs);
        WriteId("account_id"u8, "a"u8, label.Account);
        WriteId("merchant_id"u8, "m"u8, label.Merchant);
        if (label.Terminal >= 0)
        {
            WriteId("terminal_id"u8, "p"u8, label.Terminal);
        }

        json.WriteBoolean("is_fraud"u8, label.IsFraud);
        json.WriteString("source"u8, Sources[(int)label.Source]);
        if (label.IsFraud)
        {
            json.WriteString("fraud_type"u8, FraudTypes[(int)label.Pattern]);
        }

        if (label.Source == SimulatedLabelSource.Analyst)
        {
            json.WriteString("disposition"u8, label.IsFraud ? "confirmed_fraud"u8 : "false_positive"u8);
            json.WriteString("analyst_id"u8, "analyst-1"u8);
        }
        else
        {
            // Visa: 10.3 fraud with the card present, 10.4 without it. Mastercard: 4837 no cardholder authorization.
            bool visa = world.Accounts.IsVisa[label.Account];
            json.WriteString("network"u8, visa ? "visa"u8 : "mastercard"u8);
            json.WriteString("reason_code"u8, !visa ? "4837"u8 : label.Terminal >= 0 ? "10.3"u8 : "10.4"u8);
        }

        WriteTime("occurred_at"u8, label.TransactionTimeMs);
        WriteTime("reported_at"u8, label.ReportedAtMs);
        return End();
    }

    /// <summary>The key of an account's records: its id, UTF-8, written into <paramref name="key"/>.</summary>
    /// <returns>Number of bytes, at most 13.</returns>
    public static int WriteAccountId(int account, Span<byte> key) => FormatId("a"u8, account, key);

    /// <summary>The id of the transaction of a sequence.</summary>
    public static string TransactionId(long sequence) => string.Create(CultureInfo.InvariantCulture, $"t{sequence:d8}");

    /// <summary>The sequence in a transaction id that this writer made; -1 for any other.</summary>
    public static long SequenceOf(ReadOnlySpan<char> transactionId) =>
        transactionId is ['t', .. var digits] && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long sequence) ? sequence : -1;

    /// <summary>Gives the buffers back.</summary>
    public void Dispose() => json.Dispose();

    private void WriteOnlinePart(SimulatedTransaction transaction)
    {
        if (transaction.Authentication != OnlineAuthentication.Absent)
        {
            json.WriteString("three_ds"u8, Authentications[(int)transaction.Authentication]);
        }

        if (transaction.IpCountry >= 0)
        {
            json.WriteString("ip_country"u8, Countries[transaction.IpCountry]);
        }

        if (transaction.Device != 0)
        {
            Span<byte> device = stackalloc byte[10];
            "d-"u8.CopyTo(device);
            transaction.Device.TryFormat(device[2..], out _, "x8", CultureInfo.InvariantCulture);
            json.WriteString("device_id"u8, device);
        }

        if (transaction.ShippingCountry >= 0)
        {
            json.WriteString("billing_country"u8, Countries[world.Accounts.HomeCountry(transaction.Account)]);
            json.WriteString("shipping_country"u8, Countries[transaction.ShippingCountry]);
        }
    }

    private void Begin()
    {
        buffer.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
    }

    private ReadOnlySpan<byte> End()
    {
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }

    private void WriteId(ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix, long number)
    {
        Span<byte> id = stackalloc byte[13];
        json.WriteString(name, id[..FormatId(prefix, number, id)]);
    }

    private static int FormatId(ReadOnlySpan<byte> prefix, long number, Span<byte> id)
    {
        prefix.CopyTo(id);
        number.TryFormat(id[prefix.Length..], out int digits, "d8", CultureInfo.InvariantCulture);
        return prefix.Length + digits;
    }

    // RFC 3339 with milliseconds, UTC.
    private void WriteTime(ReadOnlySpan<byte> name, long timeMs)
    {
        Span<byte> text = stackalloc byte[24];
        DateTime.UnixEpoch.AddMilliseconds(timeMs).TryFormat(text, out int length, "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    private static JsonEncodedText[] Texts(params string[] values) => Array.ConvertAll(values, static value => JsonEncodedText.Encode(value));
}
