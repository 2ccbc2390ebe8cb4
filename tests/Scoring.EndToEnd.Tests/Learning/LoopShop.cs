using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>Some weeks of a small shop whose frauds change their habit: large payments first, from <see cref="ChangeDay"/> on tiny ones. Reported two days later.</summary>
internal static class LoopShop
{
    public const int Days = 54;
    public const int ChangeDay = 30;

    private const int PaymentsPerDay = 150;

    /// <summary>Day 0.</summary>
    public static readonly DateTimeOffset Start = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>From a fraud to its report.</summary>
    public static readonly TimeSpan ReportDelay = TimeSpan.FromDays(2) - TimeSpan.FromMinutes(1);

    /// <summary>The service on a run's topics. No entity is shared by partitions: what a score rests on is one partition's order, which no kill changes.</summary>
    public static string Definition(TestTopics topics) => $$"""
        {
          "service": "shop",
          "events": {},
          "labels": { "delay": "2d", "path": "is_fraud" },
          "entities": { "account": { "key": ["account_id"] } },
          "features": [
            { "name": "amount_now", "aggregate": "value", "of": "amount" },
            { "name": "account_count_1d", "entity": "account", "aggregate": "count", "window": "1d" },
            { "name": "account_mean_7d", "entity": "account", "aggregate": "mean", "of": "amount", "window": "7d" },
            { "name": "account_rate_7d", "entity": "account", "aggregate": "label_rate", "window": "7d" }
          ],
          "topics": { "transactions": "{{topics["transactions"]}}", "labels": "{{topics["labels"]}}", "scores": "{{topics["scores"]}}", "alerts": "{{topics["alerts"]}}", "dead_letters": "{{topics["dlq"]}}", "aggregates": "{{topics["aggregates"]}}", "state": "{{topics["state"]}}", "models": "{{topics["models"]}}" }
        }
        """;

    /// <summary>The payments, in time order.</summary>
    public static List<FedPayment> Payments()
    {
        var random = new Random(17);
        var payments = new List<FedPayment>(Days * PaymentsPerDay);
        for (int i = 0; i < Days * PaymentsPerDay; i++)
        {
            var time = Start.AddDays((double)i / PaymentsPerDay);
            int amountMinor = 500 + (int)(random.NextDouble() * random.NextDouble() * 30_000);
            bool isSuspicious = i < ChangeDay * PaymentsPerDay ? amountMinor > 18_000 : amountMinor < 900;
            bool isFraud = random.NextDouble() < (isSuspicious ? 0.5 : 0.002);
            string id = string.Create(CultureInfo.InvariantCulture, $"t{i}"), account = string.Create(CultureInfo.InvariantCulture, $"a{random.Next(80)}");
            string json = string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"transaction_id":"{{id}}","event_time":"{{time:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","amount_minor":{{amountMinor}},"currency":"EUR","account_id":"{{account}}","merchant_id":"m"}""");
            payments.Add(new(id, time.ToUnixTimeMilliseconds(), account, json, LabelMembers: "", isFraud));
        }

        return payments;
    }

    /// <summary>Writes the payments with their outcomes, as a file to import.</summary>
    public static void Write(string path, IEnumerable<FedPayment> payments) => File.WriteAllLines(path, payments.Select(payment =>
    {
        var json = JsonNode.Parse(payment.Json)!.AsObject();
        json["is_fraud"] = payment.IsFraud;
        return json.ToJsonString(JsonSerializerOptions.Default);
    }));
}
