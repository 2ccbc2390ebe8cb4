using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A reader that was sent back goes on where it stood only when what it has read is still there.</summary>
public sealed class LostPositionsTests(KafkaBroker broker)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_is_all_there_is_gone_on_with_and_a_topic_made_anew_is_not_though_it_is_longer()
    {
        broker.SkipUnlessReal("it tells of no topic's identifier and deletes none");
        var topics = await broker.CreateTopicsAsync("positions", 1, "in");
        var partition = new TopicPartition(topics["in"], 0);
        var clients = new KafkaClients(new KafkaOptions { BootstrapServers = broker.BootstrapServers }, "tests", NullLogger.Instance);
        using var admin = new BrokerAdmin(clients, broker.BootstrapServers, Patience, TimeProvider.System);
        Produce(partition, 5);
        var known = admin.TopicIdIfToldAsync(partition.Topic);
        var positions = new LostPositions(admin, new Dictionary<string, Task<string?>>(StringComparer.Ordinal) { [partition.Topic] = known }, NullLogger.Instance);
        Assert.NotNull(await known.WaitAsync(Patience, TestContext.Current.CancellationToken));

        Assert.True(positions.AreThere(partition, position: 5, offset: 0));
        Assert.False(positions.AreThere(partition, position: 0, offset: 0)); // An end that was told, and no record, lay beyond.

        using (var client = clients.Admin())
        {
            await client.DeleteTopicsAsync([partition.Topic]);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            while (admin.PartitionCounts().ContainsKey(partition.Topic))
            {
                await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }

            await client.CreateTopicsAsync([new TopicSpecification { Name = partition.Topic, NumPartitions = 1 }]);
            Assert.Null(admin.AwaitTopics([partition.Topic]));
        }

        Produce(partition, 6);
        Assert.False(positions.AreThere(partition, position: 5, offset: 0));
    }

    [Fact]
    public async Task A_broker_that_knows_no_identifiers_cannot_tell()
    {
        Assert.SkipWhen(broker.Kind != BrokerKind.Embedded, "A real broker knows them.");
        var topics = await broker.CreateTopicsAsync("positions", 1, "in");
        var partition = new TopicPartition(topics["in"], 0);
        var clients = new KafkaClients(new KafkaOptions { BootstrapServers = broker.BootstrapServers }, "tests", NullLogger.Instance);
        using var admin = new BrokerAdmin(clients, broker.BootstrapServers, Patience, TimeProvider.System);
        Produce(partition, 5);
        var positions = LostPositions.Of(admin, [partition.Topic], NullLogger.Instance);

        Assert.False(positions.AreThere(partition, position: 5, offset: 0));
    }

    private void Produce(TopicPartition partition, int count)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();
        for (int i = 0; i < count; i++)
        {
            producer.Produce(partition, new Message<Null, string> { Value = "x" });
        }

        producer.Flush(Patience);
        Assert.Equal(0, producer.Flush(TimeSpan.Zero));
    }
}
