using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Tests.Watching;

/// <summary>Topics of a test's own on the broker that <c>KAFKA_BOOTSTRAP_SERVERS</c> names; without it the test is skipped.</summary>
internal sealed class RealBroker : IAsyncDisposable
{
    private readonly List<string> created = [];
    private readonly string run = Guid.NewGuid().ToString("N")[..8];

    private RealBroker(string servers) => Servers = servers;

    public string Servers { get; }

    public BrokerAccess Access => new(Servers, new Dictionary<string, string>(StringComparer.Ordinal));

    public static RealBroker Require()
    {
        string? servers = Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS");
        Assert.SkipWhen(string.IsNullOrEmpty(servers), "KAFKA_BOOTSTRAP_SERVERS names no broker");
        return new(servers!);
    }

    public async Task<string> CreateAsync(string name, int partitions)
    {
        string topic = string.Create(CultureInfo.InvariantCulture, $"{name}-{run}");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Servers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = -1, Configs = new() { ["max.message.bytes"] = "16777216" } }]);
        created.Add(topic);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!admin.GetMetadata(TimeSpan.FromSeconds(5)).Topics.Exists(known => !known.Error.IsError && string.Equals(known.Topic, topic, StringComparison.Ordinal)))
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken); // The controller has it; brokers hear of it a moment later.
        }

        return topic;
    }

    public async ValueTask DisposeAsync()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Servers }).Build();
        await admin.DeleteTopicsAsync(created);
    }
}
