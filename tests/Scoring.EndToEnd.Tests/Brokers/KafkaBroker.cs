using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;
using Testcontainers.Kafka;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace Scoring.EndToEnd.Tests.Brokers;

/// <summary>The broker that all tests of this assembly share; take it as a constructor parameter.</summary>
/// <remarks>
/// In this order: what <c>KAFKA_BOOTSTRAP_SERVERS</c> names; a container where Docker answers; the embedded broker.
/// A broker that was named and does not answer fails the tests: nobody who asked for a real broker gets another.
/// <c>FRAUDSCORING_TEST_BROKER_KIND=Embedded</c> passes over Docker. An engine older than Docker 25 needs
/// <c>DOCKER_API_VERSION</c> (1.41 for Docker 20.10); without a registry, <c>TESTCONTAINERS_RYUK_DISABLED=true</c>.
/// </remarks>
public sealed class KafkaBroker : IAsyncLifetime
{
    private const string Image = "apache/kafka:4.3.1";
    private static readonly TimeSpan AdminTimeout = TimeSpan.FromSeconds(30);

    // Apart from every other run on the same external broker.
    private readonly string run = Guid.NewGuid().ToString("N")[..8];
    private readonly List<string> created = [];
    private readonly Lock gate = new();
    private KafkaContainer? container;
    private EmbeddedBroker? embedded;
    private int testCount;

    /// <summary>Where clients connect.</summary>
    public string BootstrapServers { get; private set; } = "";

    /// <summary>Which kind was found.</summary>
    public BrokerKind Kind { get; private set; }

    /// <summary>Why it is this kind, for the test output.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>The embedded broker, where it is that.</summary>
    internal EmbeddedBroker? Embedded => embedded;

    /// <summary>How workers deliver here: the embedded broker does not keep offsets that are committed in a transaction.</summary>
    internal string Delivery => Kind == BrokerKind.Embedded ? KafkaOptions.AtLeastOnce : KafkaOptions.ExactlyOnce;

    /// <summary>The same as arguments of <c>run</c>.</summary>
    internal string[] DeliveryArguments => ["--set", $"Kafka:Delivery={Delivery}"];

    /// <summary>An embedded broker of a test's own, whose answers it may change.</summary>
    internal static KafkaBroker StartEmbedded()
    {
        var started = EmbeddedBroker.Start();
        return new KafkaBroker { embedded = started, Kind = BrokerKind.Embedded, BootstrapServers = started.BootstrapServers, Reason = "a test changes its answers" };
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS") is { Length: > 0 } servers)
        {
            (Kind, BootstrapServers, Reason) = (BrokerKind.External, servers, "KAFKA_BOOTSTRAP_SERVERS is set");
        }
        else if (await StartContainerAsync() is { } started)
        {
            container = started;
            (Kind, BootstrapServers, Reason) = (BrokerKind.Container, started.GetBootstrapAddress(), $"Docker runs {Image}");
        }
        else
        {
            embedded = EmbeddedBroker.Start();
            (Kind, BootstrapServers) = (BrokerKind.Embedded, embedded.BootstrapServers);
        }

        await Console.Out.WriteLineAsync($"Broker: {Kind} at {BootstrapServers} ({Reason}).");
    }

    /// <summary>Creates topics of names no other test has.</summary>
    /// <param name="prefix">What the test calls itself, e.g. <c>smoke</c>.</param>
    /// <param name="partitionCount">Partitions of each, so that they are co-partitioned.</param>
    /// <param name="names">The topics' names within the test.</param>
    public Task<TestTopics> CreateTopicsAsync(string prefix, int partitionCount, params IReadOnlyList<string> names) =>
        CreateTopicsAsync(prefix, partitionCount, new Dictionary<string, string>(), names);

    /// <summary>Creates topics of names no other test has, with settings such as <c>cleanup.policy=compact</c>.</summary>
    /// <param name="prefix">What the test calls itself, e.g. <c>smoke</c>.</param>
    /// <param name="partitionCount">Partitions of each, so that they are co-partitioned.</param>
    /// <param name="settings">Kafka's topic settings; the embedded broker knows none and ignores them.</param>
    /// <param name="names">The topics' names within the test.</param>
    public async Task<TestTopics> CreateTopicsAsync(
        string prefix, int partitionCount, IReadOnlyDictionary<string, string> settings, params IReadOnlyList<string> names)
    {
        var topics = new TestTopics($"{prefix}-{run}-{Interlocked.Increment(ref testCount)}", partitionCount);
        if (embedded is not null)
        {
            foreach (string name in names)
            {
                embedded.CreateTopic(topics[name], partitionCount);
            }

            return topics;
        }

        using IAdminClient admin = Admin();
        await admin.CreateTopicsAsync(
            names.Select(name => new TopicSpecification
            {
                Name = topics[name],
                NumPartitions = partitionCount,
                ReplicationFactor = -1, // The broker's default.
                Configs = settings.ToDictionary(),
            }),
            new CreateTopicsOptions { RequestTimeout = AdminTimeout, OperationTimeout = AdminTimeout });
        lock (gate)
        {
            created.AddRange(names.Select(name => topics[name]));
        }

        using var told = new BrokerAdmin(new KafkaClients(new KafkaOptions { BootstrapServers = BootstrapServers }, "tests", NullLogger.Instance), BootstrapServers, AdminTimeout, TimeProvider.System);
        Assert.Null(told.AwaitTopics([.. names.Select(name => topics[name])]));
        return topics;
    }

    /// <summary>Deletes a topic and creates one of the same name.</summary>
    public async Task MakeAnewAsync(string topic, int partitionCount, CancellationToken cancellation)
    {
        using IAdminClient admin = Admin();
        await admin.DeleteTopicsAsync([topic]);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (admin.GetMetadata(AdminTimeout).Topics.Exists(found => string.Equals(found.Topic, topic, StringComparison.Ordinal)))
        {
            await timer.WaitForNextTickAsync(cancellation);
        }

        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitionCount }]);
    }

    /// <summary>Skips the running test on the embedded broker.</summary>
    /// <param name="reason">What the test needs that it does not have, e.g. "it keeps no offsets of Kafka transactions".</param>
    public void SkipUnlessReal(string reason) =>
        Assert.SkipWhen(Kind == BrokerKind.Embedded, $"Needs a real Kafka (the embedded broker was used: {Reason}): {reason}.");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Kind == BrokerKind.External && created.Count > 0)
        {
            using IAdminClient admin = Admin();
            await admin.DeleteTopicsAsync(created, new DeleteTopicsOptions { RequestTimeout = AdminTimeout });
        }

        embedded?.Dispose();
        if (container is not null)
        {
            await container.DisposeAsync();
        }
    }

    // Without Docker, or without the image, the reason says so and the embedded broker takes over.
    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps a container from starting is the reason that the tests print.")]
    private async Task<KafkaContainer?> StartContainerAsync()
    {
        if (string.Equals(Environment.GetEnvironmentVariable("FRAUDSCORING_TEST_BROKER_KIND"), "Embedded", StringComparison.OrdinalIgnoreCase))
        {
            Reason = "FRAUDSCORING_TEST_BROKER_KIND asks for it";
            return null;
        }

        KafkaContainer? starting = null;
        try
        {
            starting = new KafkaBuilder(Image).Build();
            await starting.StartAsync(TestContext.Current.CancellationToken);
            return starting;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            string cause = exception.GetBaseException().Message.Trim().ReplaceLineEndings(" ");
            Reason = $"KAFKA_BOOTSTRAP_SERVERS is not set and Docker started no container: {cause}";
            if (starting is not null)
            {
                await starting.DisposeAsync();
            }

            return null;
        }
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = BootstrapServers }).Build();
}
