using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>Good transactions of many accounts, as many as are asked for.</summary>
internal sealed class Load(TestService service) : IDisposable
{
    private readonly IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(
        new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers, EnableIdempotence = true }).Build();

    /// <summary>Transactions sent and acknowledged.</summary>
    public int Sent { get; private set; }

    /// <summary>Sends some more, evenly over the partitions, and waits until the broker has them.</summary>
    public void Send(int count)
    {
        for (int i = 0; i < count; i++, Sent++)
        {
            string json = string.Create(CultureInfo.InvariantCulture, $$"""{"transaction_id":"l-{{Sent}}","event_time":"2025-03-01T00:00:00Z","amount_minor":{{Sent % 10_000}},"currency":"EUR","account_id":"a-{{Sent % 100}}","merchant_id":"m-1"}""");
            producer.Produce(
                new TopicPartition(service.Topics["in"], Sent % service.Topics.PartitionCount),
                new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"a-{Sent % 100}")), Value = Encoding.UTF8.GetBytes(json) });
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    public void Dispose() => producer.Dispose();
}
