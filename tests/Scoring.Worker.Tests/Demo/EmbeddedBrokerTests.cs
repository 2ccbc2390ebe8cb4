using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Confluent.Kafka;
using Scoring.Worker.Demo;

namespace Scoring.Worker.Tests.Demo;

[Collection("Kafka clients")] // Counts the process's client threads: nobody else may have some meanwhile.
public sealed class EmbeddedBrokerTests
{
    private const string OtherProcessBroker = "FRAUDSCORING_TEST_BROKER";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_created_topic_has_the_partitions_that_were_asked_for()
    {
        using EmbeddedBroker broker = EmbeddedBroker.Start();
        Assert.True(broker.CreateTopic("seven", 7));
        Assert.False(broker.CreateTopic("seven", 3));

        using IAdminClient admin = new AdminClientBuilder(Client(broker.BootstrapServers)).Build();
        TopicMetadata topic = Assert.Single(admin.GetMetadata("seven", Patience).Topics);
        Assert.Equal(Enumerable.Range(0, 7), topic.Partitions.Select(partition => partition.PartitionId).Order());
    }

    [Fact]
    public void Every_partition_gives_back_in_order_what_was_written_to_it()
    {
        using EmbeddedBroker broker = EmbeddedBroker.Start();
        broker.CreateTopic("events", 4);
        Produce(broker.BootstrapServers, "events", partitionCount: 4, recordCount: 400);

        List<ConsumeResult<string, string>> records = Consume(broker.BootstrapServers, "events", 400);

        foreach (IGrouping<int, ConsumeResult<string, string>> partition in records.GroupBy(record => record.Partition.Value))
        {
            Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{(i * 4) + partition.Key}"), partition.Select(record => record.Message.Value));
        }
    }

    [Fact]
    public void A_group_goes_on_where_its_last_member_committed()
    {
        using EmbeddedBroker broker = EmbeddedBroker.Start();
        broker.CreateTopic("events", 1);
        Produce(broker.BootstrapServers, "events", partitionCount: 1, recordCount: 10);
        ConsumerConfig group = Group(broker.BootstrapServers, "workers");

        using (IConsumer<string, string> first = new ConsumerBuilder<string, string>(group).Build())
        {
            first.Subscribe("events");
            for (int i = 0; i < 6; i++)
            {
                first.Commit(Next(first));
            }

            first.Close();
        }

        using IConsumer<string, string> second = new ConsumerBuilder<string, string>(group).Build();
        second.Subscribe("events");
        Assert.Equal("6", Next(second).Message.Value);
        second.Close();
    }

    [Fact]
    public void Members_that_start_together_share_the_partitions_at_once()
    {
        using EmbeddedBroker broker = EmbeddedBroker.Start();
        broker.CreateTopic("events", 4);
        Produce(broker.BootstrapServers, "events", partitionCount: 4, recordCount: 4);
        ConsumerConfig group = Group(broker.BootstrapServers, "workers");
        using IConsumer<string, string> first = new ConsumerBuilder<string, string>(group).Build();
        using IConsumer<string, string> second = new ConsumerBuilder<string, string>(group).Build();
        first.Subscribe("events");
        second.Subscribe("events");

        using var deadline = new CancellationTokenSource(Patience);
        while (first.Assignment.Count == 0 || second.Assignment.Count == 0)
        {
            deadline.Token.ThrowIfCancellationRequested();
            first.Consume(TimeSpan.FromMilliseconds(20));
            second.Consume(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(2, first.Assignment.Count);
        Assert.Equal(2, second.Assignment.Count);
        Assert.Empty(first.Assignment.Intersect(second.Assignment));
        first.Close();
        second.Close();
    }

    [Fact]
    public async Task Another_process_reads_and_writes()
    {
        using EmbeddedBroker broker = EmbeddedBroker.Start();
        broker.CreateTopic("questions", 4);
        broker.CreateTopic("answers", 4);
        Produce(broker.BootstrapServers, "questions", partitionCount: 4, recordCount: 8);

        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { "--explicit", "only", "--filter-method", $"*.{nameof(Answer_from_another_process)}", "--progress", "off" },
            Environment = { [OtherProcessBroker] = broker.BootstrapServers },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("TESTINGPLATFORM_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await error);

        IEnumerable<string> answers = Consume(broker.BootstrapServers, "answers", 8).Select(record => record.Message.Value);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"answer to {i}"), answers.Order(StringComparer.Ordinal));
    }

    /// <summary>The other side of <see cref="Another_process_reads_and_writes"/>; explicit, so that only it runs this.</summary>
    [Fact(Explicit = true)]
    public void Answer_from_another_process()
    {
        string? bootstrapServers = Environment.GetEnvironmentVariable(OtherProcessBroker);
        Assert.SkipWhen(bootstrapServers is null, "Run by another test, in a process of its own.");
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(Client(bootstrapServers)).Build();
        foreach (ConsumeResult<string, string> record in Consume(bootstrapServers, "questions", 8))
        {
            producer.Produce(
                new TopicPartition("answers", record.Partition),
                new Message<string, string> { Key = record.Message.Key, Value = $"answer to {record.Message.Value}" });
        }

        Assert.Equal(0, producer.Flush(Patience));
    }

    [Fact]
    public async Task Nothing_is_left_after_dispose()
    {
        for (int i = 0; i < 10; i++)
        {
            EmbeddedBroker broker = EmbeddedBroker.Start();
            int port = int.Parse(broker.BootstrapServers.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
            using (var client = new TcpClient())
            {
                await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
            }

            broker.Dispose();
            broker.Dispose();

            using var late = new TcpClient();
            await Assert.ThrowsAnyAsync<SocketException>(
                () => late.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken).AsTask());
            Assert.Throws<ObjectDisposedException>(() => broker.CreateTopic("late", 1));
        }

        if (OperatingSystem.IsLinux())
        {
            // The tests of one class run one after another, and no other class of the collection runs meanwhile.
            string[] threads = Directory.GetDirectories("/proc/self/task");
            Assert.DoesNotContain(threads, thread => ThreadName(thread) is "rdk:mock");
        }
    }

    private static string ThreadName(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "comm")).TrimEnd();
        }
        catch (IOException)
        {
            return ""; // Ended since it was listed.
        }
    }

    private static ClientConfig Client(string bootstrapServers) => new() { BootstrapServers = bootstrapServers };

    private static ConsumerConfig Group(string bootstrapServers, string group) => new(Client(bootstrapServers))
    {
        GroupId = group,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,

        // The mock's group waits for the session timeout less a second whenever its members change.
        SessionTimeoutMs = 2_000,
        HeartbeatIntervalMs = 500,
    };

    // Record i goes to partition i % partitionCount.
    private static void Produce(string bootstrapServers, string topic, int partitionCount, int recordCount)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(Client(bootstrapServers)).Build();
        for (int i = 0; i < recordCount; i++)
        {
            producer.Produce(
                new TopicPartition(topic, i % partitionCount),
                new Message<string, string> { Key = $"key {i}", Value = $"{i}", Headers = [new Header("ce_id", Encoding.UTF8.GetBytes($"{i}"))] });
        }

        Assert.Equal(0, producer.Flush(Patience));
    }

    private static List<ConsumeResult<string, string>> Consume(string bootstrapServers, string topic, int recordCount)
    {
        using IConsumer<string, string> consumer = new ConsumerBuilder<string, string>(Group(bootstrapServers, $"readers of {topic}")).Build();
        consumer.Subscribe(topic);
        var records = new List<ConsumeResult<string, string>>();
        while (records.Count < recordCount)
        {
            records.Add(Next(consumer));
        }

        consumer.Close();
        return records;
    }

    private static ConsumeResult<string, string> Next(IConsumer<string, string> consumer)
    {
        ConsumeResult<string, string>? record = consumer.Consume(Patience);
        Assert.True(record is not null, $"Nothing to read within {Patience}.");
        return record;
    }
}
