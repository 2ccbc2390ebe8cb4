using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>Payments and labels of six weeks, seeded: late ones, equal times, one busy account, repeated events, broken ones; labels early, late, repeated, taken back, broken.</summary>
internal sealed class PaymentStream
{
    private static readonly DateTimeOffset Start = new(2025, 3, 3, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Channels = ["ecommerce", "pos", "atm", "moto"];
    private static readonly string[] Countries = ["DE", "FR", "US"];
    private static readonly DateTimeOffset HandbookEpoch = new(2018, 4, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random random;
    private readonly List<(DateTimeOffset Time, int Id, int Account)> sent = [];

    public PaymentStream(int seed) => random = new Random(seed);

    /// <summary>Makes the events of one of the definitions that ship, in the order in which they are sent.</summary>
    /// <param name="shipped">The definition's file name.</param>
    /// <param name="count">Good events.</param>
    public IEnumerable<(string Key, string Value)> Events(string shipped, int count)
    {
        double seconds = 0;
        for (int id = 0; id < count; id++)
        {
            seconds += random.Next(4) == 0 ? 0 : random.NextDouble() * 2 * 42 * 86_400 / count;
            var time = Start.AddSeconds(Math.Floor(seconds) - (random.Next(25) == 0 ? random.Next(1_200) : 0));
            int account = random.Next(5) == 0 ? 0 : random.Next(30);
            string value = shipped switch
            {
                "handbook.json" => Handbook(id, account, time),
                "customer-velocity.json" => Velocity(id, account, time),
                _ => Contract(id, account, time),
            };
            sent.Add((time, id, account));
            string key = string.Create(CultureInfo.InvariantCulture, $"{account}");
            yield return (key, value);
            if (random.Next(60) == 0)
            {
                yield return (key, value);
            }

            if (random.Next(80) == 0)
            {
                yield return (key, value[..^1]);
            }
        }
    }

    /// <summary>Makes one card payment of a moment; one in 25 is some minutes late.</summary>
    public (string Key, string Value) Payment(int id, DateTimeOffset time)
    {
        int account = random.Next(5) == 0 ? 0 : random.Next(30);
        return (Id(account), Contract(id, account, time.AddSeconds(random.Next(25) == 0 ? -random.Next(1_200) : 0)));
    }

    /// <summary>Makes the labels of the events made before, in the order of their report.</summary>
    public IEnumerable<(string Key, string Value)> Labels()
    {
        var labels = new List<(DateTimeOffset ReportedAt, string Key, string Value)>();
        foreach (var (time, id, account) in sent)
        {
            if (random.Next(3) != 0)
            {
                continue;
            }

            bool isFraud = random.Next(3) == 0;
            Add(time.AddHours(random.Next(6 * 24)), id, account, isFraud, time);
            if (random.Next(12) == 0)
            {
                Add(time.AddHours(random.Next(12 * 24)), id, account, random.Next(2) == 0, time);
            }
        }

        Add(Start.AddDays(20), 1_000_000, 3, isFraud: true, Start);
        return labels.OrderBy(label => label.ReportedAt).Select(label => (label.Key, label.Value));

        void Add(DateTimeOffset reportedAt, int id, int account, bool isFraud, DateTimeOffset time)
        {
            var label = new JsonObject
            {
                ["label_id"] = string.Create(CultureInfo.InvariantCulture, $"l-{labels.Count}"),
                ["transaction_id"] = Id(id),
                ["account_id"] = Id(account),
                ["is_fraud"] = isFraud,
                ["source"] = "fraud_report",
                ["reported_at"] = Rfc3339(reportedAt),
            };
            if (random.Next(2) == 0)
            {
                label["transaction_time"] = Rfc3339(time);
            }

            labels.Add((reportedAt, Id(account), label.ToJsonString()));
            if (labels.Count % 25 == 3)
            {
                labels.Add((reportedAt, Id(account), label.ToJsonString()[..^1]));
            }
        }
    }

    /// <summary>Sends records, those of one key to one partition.</summary>
    public static void Send(string bootstrapServers, string topic, IEnumerable<(string Key, string Value)> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = bootstrapServers, EnableIdempotence = true, Partitioner = Partitioner.Murmur2Random }).Build();
        foreach (var (key, value) in records)
        {
            producer.Produce(topic, new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value) });
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    private static string Id(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Rfc3339(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private string Handbook(int id, int account, DateTimeOffset time) => new JsonObject
    {
        ["TRANSACTION_ID"] = id,
        ["TX_TIME_SECONDS"] = (long)(time - HandbookEpoch).TotalSeconds,
        ["TX_AMOUNT"] = Amount(),
        ["CUSTOMER_ID"] = account,
        ["TERMINAL_ID"] = random.Next(12),
    }.ToJsonString();

    private string Velocity(int id, int account, DateTimeOffset time) => new JsonObject
    {
        ["id"] = Id(id),
        ["time"] = time.ToUnixTimeMilliseconds(),
        ["amount"] = Amount(),
        ["currency"] = "EUR",
        ["customer"] = Id(account),
        ["terminal"] = Id(random.Next(12)),
        ["channel"] = Channels[random.Next(2)],
        ["entry_mode"] = "chip",
    }.ToJsonString();

    private string Contract(int id, int account, DateTimeOffset time)
    {
        var payment = new JsonObject
        {
            ["transaction_id"] = Id(id),
            ["event_time"] = Rfc3339(time),
            ["amount_minor"] = random.Next(8) == 0 ? random.Next(500) : random.Next(90_000),
            ["currency"] = random.Next(10) == 0 ? "JPY" : "EUR",
            ["account_id"] = Id(account),
            ["merchant_id"] = $"m-{random.Next(12)}",
        };
        Perhaps("channel", () => Channels[random.Next(Channels.Length)]);
        Perhaps("device_id", () => $"d-{random.Next(15)}");
        Perhaps("merchant_country", () => Countries[random.Next(Countries.Length)]);
        Perhaps("card_issuer_country", () => "DE");
        Perhaps("ip_country", () => Countries[random.Next(Countries.Length)]);
        Perhaps("auth_outcome", () => random.Next(4) == 0 ? "declined" : "approved");
        Perhaps("merchant_category_code", () => random.Next(3) == 0 ? "6011" : "5411");
        Perhaps("account_created_at", () => Rfc3339(Start.AddDays(-random.Next(1_000))));
        Perhaps("card_present", () => random.Next(2) == 0);
        if (random.Next(3) > 0)
        {
            payment["latitude"] = Math.Round((random.NextDouble() * 20) + 40, 7);
            payment["longitude"] = Math.Round((random.NextDouble() * 30) - 5, 7);
        }

        return payment.ToJsonString();

        void Perhaps(string member, Func<JsonNode> value)
        {
            if (random.Next(4) > 0)
            {
                payment[member] = value();
            }
        }
    }

    private decimal Amount() => random.Next(1, 50_000) / 100m;
}
