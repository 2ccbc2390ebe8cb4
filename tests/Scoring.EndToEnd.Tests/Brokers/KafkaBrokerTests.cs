using Confluent.Kafka;

namespace Scoring.EndToEnd.Tests.Brokers;

/// <summary>The fixture itself, on whatever broker it found.</summary>
public sealed class KafkaBrokerTests(KafkaBroker broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_record_comes_back_as_it_was_sent()
    {
        output.WriteLine($"{broker.Kind} at {broker.BootstrapServers}: {broker.Reason}");
        TestTopics topics = await broker.CreateTopicsAsync("smoke", 4, "events");
        var sent = new Message<string, string> { Key = "account-1", Value = """{"amount_minor":1250}""" };
        using (IProducer<string, string> producer = new ProducerBuilder<string, string>(Client()).Build())
        {
            DeliveryResult<string, string> delivered = await producer.ProduceAsync(
                new TopicPartition(topics["events"], 3), sent, TestContext.Current.CancellationToken);
            Assert.Equal(0, delivered.Offset.Value);
        }

        using IConsumer<string, string> consumer = new ConsumerBuilder<string, string>(new ConsumerConfig(Client())
        {
            GroupId = topics.Prefix,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
        }).Build();
        consumer.Subscribe(topics["events"]);
        ConsumeResult<string, string> received = consumer.Consume(Patience);
        consumer.Close();

        Assert.NotNull(received);
        Assert.Equal(3, received.Partition.Value);
        Assert.Equal((sent.Key, sent.Value), (received.Message.Key, received.Message.Value));
    }

    [Fact]
    public async Task Tests_do_not_share_topics()
    {
        TestTopics first = await broker.CreateTopicsAsync("same", 2, "events", "scores");
        TestTopics second = await broker.CreateTopicsAsync("same", 3, "events");
        Assert.NotEqual(first["events"], second["events"]);

        using IAdminClient admin = new AdminClientBuilder(Client()).Build();
        Assert.Equal(2, PartitionCount(first["scores"]));
        Assert.Equal(3, PartitionCount(second["events"]));

        int PartitionCount(string topic) => Assert.Single(admin.GetMetadata(topic, Patience).Topics).Partitions.Count;
    }

    [Fact]
    public async Task Offsets_of_a_kafka_transaction_are_kept()
    {
        broker.SkipUnlessReal("it keeps no offsets committed inside a Kafka transaction");
        TestTopics topics = await broker.CreateTopicsAsync("transaction", 1, "events", "scores");
        var position = new TopicPartition(topics["events"], 0);
        using IConsumer<string, string> consumer = new ConsumerBuilder<string, string>(new ConsumerConfig(Client()) { GroupId = topics.Prefix }).Build();
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(
            new ProducerConfig(Client()) { TransactionalId = topics.Prefix }).Build();
        producer.InitTransactions(Patience);
        producer.BeginTransaction();
        producer.Produce(topics["scores"], new Message<string, string> { Key = "account-1", Value = "0.5" });
        producer.SendOffsetsToTransaction([new TopicPartitionOffset(position, 7)], consumer.ConsumerGroupMetadata, Patience);
        producer.CommitTransaction(Patience);

        Assert.Equal(7, Assert.Single(consumer.Committed([position], Patience)).Offset.Value);
    }

    private ClientConfig Client() => new() { BootstrapServers = broker.BootstrapServers };
}
