using System.Globalization;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Payments and labels of this moment, 200 a second, by senders whose behaviour can be changed while they send.</summary>
internal sealed class Traffic(TestService service, int seed)
{
    private const int MsPerPayment = 5;

    private int sent;
    private volatile int accounts = 40;
    private volatile int perTick = 10;

    /// <summary>Accounts that pay.</summary>
    public int Accounts
    {
        get => accounts;
        set => accounts = value;
    }

    /// <summary>Payments that are sent at once; the fewer, the more often, still 200 a second. 0: nobody pays.</summary>
    public int PerTick
    {
        get => perTick;
        set => perTick = value;
    }

    /// <summary>Whether every payment is so large that a rule wants it looked at.</summary>
    public bool IsAllLarge { get; set; }

    /// <summary>Whether one payment of each tick is labelled at once.</summary>
    public bool HasLabels { get; set; }

    /// <summary>Whether each tick has two events more: one that is no JSON, one that holds a card number.</summary>
    public bool HasBroken { get; set; }

    /// <summary>Sends until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var random = new Random(seed);
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers, LingerMs = 0, Partitioner = Partitioner.Murmur2Random }).Build();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(MsPerPayment));
        while (!stop.IsCancellationRequested)
        {
            string now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            int count = perTick;
            timer.Period = TimeSpan.FromMilliseconds(MsPerPayment * Math.Max(1, count));
            for (int i = 0; i < count; i++, sent++)
            {
                string account = string.Create(CultureInfo.InvariantCulture, $"a-{random.Next(accounts)}");
                int amount = IsAllLarge ? 19_500 : random.Next(1, 20_000);
                Send("in", account, string.Create(CultureInfo.InvariantCulture, $$"""{"transaction_id":"live-{{sent}}","event_time":"{{now}}","amount_minor":{{amount}},"currency":"EUR","account_id":"{{account}}","merchant_id":"m-{{random.Next(12)}}"}"""));
                if (HasLabels && i == 0)
                {
                    Send("labels", account, string.Create(CultureInfo.InvariantCulture, $$"""{"label_id":"l-{{sent}}","transaction_id":"live-{{sent}}","account_id":"{{account}}","is_fraud":true,"source":"fraud_report","occurred_at":"{{now}}","reported_at":"{{now}}"}"""));
                }
            }

            if (HasBroken)
            {
                Send("in", "broken", "{\"transaction_id\":");
                Send("in", "broken", $$"""{"transaction_id":"card","event_time":"{{now}}","amount_minor":100,"currency":"EUR","account_id":"4111111111111111","merchant_id":"m-1"}""");
            }

            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        producer.Flush(CancellationToken.None);

        void Send(string topic, string key, string value) => producer.Produce(service.Topics[topic], new Message<string, string> { Key = key, Value = value });
    }
}
