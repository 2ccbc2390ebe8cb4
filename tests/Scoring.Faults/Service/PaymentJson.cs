using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Scoring.Faults.Service;

/// <summary>Payments and labels as the service's contract has them.</summary>
internal static class PaymentJson
{
    /// <summary>A payment.</summary>
    public static JsonObject Payment(string id, DateTimeOffset time, string account, string merchant, int amountMinor, string currency = "EUR") => new()
    {
        ["transaction_id"] = id,
        ["event_time"] = Rfc3339(time),
        ["amount_minor"] = amountMinor,
        ["currency"] = currency,
        ["account_id"] = account,
        ["merchant_id"] = merchant,
    };

    /// <summary>What became of a payment.</summary>
    public static JsonObject Label(string labelId, string transactionId, string account, bool isFraud, DateTimeOffset reportedAt) => new()
    {
        ["label_id"] = labelId,
        ["transaction_id"] = transactionId,
        ["account_id"] = account,
        ["is_fraud"] = isFraud,
        ["source"] = "fraud_report",
        ["reported_at"] = Rfc3339(reportedAt),
    };

    /// <summary>Its bytes.</summary>
    public static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    private static string Rfc3339(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
