using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>A worker whose output the broker does not take: it stays a member of its group, and loses nothing.</summary>
[Collection("Kafka clients")]
public sealed class OutputRoomTests : IDisposable
{
    private const int EventCount = 2_000;
    private const int InFlightMax = 100;

    private const string Definition = """
        {
          "service": "room",
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "features": [{ "name": "amount_now", "aggregate": "value", "of": "amount" }],
          "topics": { "transactions": "in", "scores": "scores", "alerts": "alerts", "dead_letters": "dlq" }
        }
        """;

    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal) { ["session.timeout.ms"] = "6000", ["heartbeat.interval.ms"] = "500" };

    private readonly string definitionPath = Path.GetTempFileName();
    private readonly EmbeddedBroker broker = EmbeddedBroker.Start();
    private readonly IPEndPoint http = FreePort();

    // Far below max.poll.interval.ms (60 s), after which the group would throw out a member that does not poll.
    private readonly CancellationTokenSource bound = new(TimeSpan.FromSeconds(45));

    [Fact]
    public async Task Whoever_cannot_publish_still_follows_its_group()
    {
        using var stop = new CancellationTokenSource();
        var worker = await FullWorkerAsync(stop.Token);

        using (var other = new ConsumerBuilder<Ignore, Ignore>(Reader("room")).Build())
        {
            other.Subscribe("in");
            while (other.Assignment.Count == 0)
            {
                other.Consume(TimeSpan.FromMilliseconds(100)); // The worker has to give a partition up for this.
                bound.Token.ThrowIfCancellationRequested();
            }

            other.Close();
        }

        broker.TakeWrites();
        Assert.Equal(EventCount, ScoredIds(EventCount).Count);
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Ok, await worker);
    }

    [Fact]
    public async Task Told_to_stop_while_nothing_is_taken_it_ends_and_says_so()
    {
        using var stop = new CancellationTokenSource();
        var worker = await FullWorkerAsync(stop.Token);
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Unavailable, await worker.WaitAsync(bound.Token));
    }

    [Fact]
    public async Task Told_to_stop_while_it_waits_for_a_broker_it_waits_no_longer()
    {
        var settings = Settings();
        broker.Dispose();
        using var stop = new CancellationTokenSource();
        File.WriteAllText(definitionPath, Definition);
        var worker = Task.Run(
            () => WorkerProcess.RunAsync(settings with { Kafka = settings.Kafka with { StartTimeoutSeconds = 600 } }, TimeProvider.System, NullLoggerFactory.Instance, stop.Token), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => worker.WaitAsync(bound.Token));
        Assert.False(bound.IsCancellationRequested);
    }

    public void Dispose()
    {
        broker.Dispose();
        bound.Dispose();
        File.Delete(definitionPath);
    }

    private WorkerSettings Settings() => new()
    {
        Kafka = new KafkaOptions { BootstrapServers = broker.BootstrapServers, Group = "room", Client = Quick, Delivery = KafkaOptions.AtLeastOnce },
        Lanes = new LaneOptions { Lanes = 1, InFlightMax = InFlightMax },
        Operations = new OperationsOptions { Http = http },
        Serving = new ServingOptions { Definition = definitionPath, WithoutModel = true },
        Aggregates = new AggregatesOptions(),
    };

    private ConsumerConfig Reader(string group) => new(Quick)
    {
        BootstrapServers = broker.BootstrapServers,
        GroupId = group,
        EnableAutoCommit = false,
        PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
    };

    /// <summary>A worker whose output has stood still, full, since the broker takes no more writes.</summary>
    private async Task<Task<int>> FullWorkerAsync(CancellationToken stop)
    {
        foreach (string topic in new[] { "in", "scores", "alerts", "dlq" })
        {
            broker.CreateTopic(topic, 2);
        }

        Send();
        broker.RefuseWrites();
        File.WriteAllText(definitionPath, Definition);
        var worker = Task.Run(() => WorkerProcess.RunAsync(Settings(), TimeProvider.System, NullLoggerFactory.Instance, stop), CancellationToken.None);
        await UntilFullAsync();
        return worker;
    }

    private void Send()
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();
        for (int i = 0; i < EventCount; i++)
        {
            string json = string.Create(CultureInfo.InvariantCulture, $$"""{"transaction_id":"t-{{i}}","event_time":"2025-03-01T00:00:00Z","amount_minor":1250,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}""");
            producer.Produce(new TopicPartition("in", i % 2), new Message<byte[], byte[]> { Key = "a-1"u8.ToArray(), Value = Encoding.UTF8.GetBytes(json) });
        }

        producer.Flush(bound.Token);
    }

    private async Task UntilFullAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{http}") };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await timer.WaitForNextTickAsync(bound.Token))
        {
            try
            {
                string text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), bound.Token);
                const string Series = "fraudscoring_inflight_events{lane=\"0\"} ";
                if (text.Split('\n').FirstOrDefault(line => line.StartsWith(Series, StringComparison.Ordinal)) is { } line
                    && double.Parse(line[Series.Length..], CultureInfo.InvariantCulture) >= InFlightMax)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }
    }

    private HashSet<string> ScoredIds(int count)
    {
        using var consumer = new ConsumerBuilder<Ignore, string>(Reader("scores")).Build();
        consumer.Assign(Enumerable.Range(0, 2).Select(partition => new TopicPartitionOffset("scores", partition, Offset.Beginning)));
        var ids = new HashSet<string>(StringComparer.Ordinal);
        while (ids.Count < count)
        {
            using var score = System.Text.Json.JsonDocument.Parse(consumer.Consume(TestContext.Current.CancellationToken).Message.Value);
            ids.Add(score.RootElement.GetProperty("transaction_id").GetString()!);
        }

        return ids;
    }

    private static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
