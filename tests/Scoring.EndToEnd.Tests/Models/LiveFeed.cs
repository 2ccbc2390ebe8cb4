using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Models;

/// <summary>Transactions of this moment at an even pace, until told to stop.</summary>
internal sealed class LiveFeed(TestService service, int perTick, TimeSpan tick, int seed)
{
    /// <summary>Transactions sent so far: <c>live-0</c> to <c>live-(Sent - 1)</c>.</summary>
    public int Sent { get; private set; }

    /// <summary>Feeds.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var random = new Random(seed);
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers, LingerMs = 0, Partitioner = Partitioner.Murmur2Random }).Build();
        using var timer = new PeriodicTimer(tick);
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < perTick; i++)
            {
                string account = string.Create(CultureInfo.InvariantCulture, $"a-{random.Next(40)}");
                string time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
                string value = string.Create(CultureInfo.InvariantCulture, $$"""{"transaction_id":"live-{{Sent}}","event_time":"{{time}}","amount_minor":{{random.Next(1, 20_000)}},"currency":"EUR","account_id":"{{account}}","merchant_id":"m-{{random.Next(12)}}"}""");
                producer.Produce(service.Topics["in"], new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(account), Value = Encoding.UTF8.GetBytes(value) });
                Sent++;
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
    }
}
