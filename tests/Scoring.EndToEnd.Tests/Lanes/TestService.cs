using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A service with topics of its own: accounts, merchants that every partition sees, labels, a rule that alerts.</summary>
internal sealed class TestService : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");

    private TestService(KafkaBroker broker, TestTopics topics, bool remembers)
    {
        Broker = broker;
        Topics = topics;
        DefinitionPath = Path.Combine(folder.FullName, "definition.json");
        File.WriteAllText(DefinitionPath, remembers ? Definition() : WithoutMemory());
    }

    public KafkaBroker Broker { get; }

    public TestTopics Topics { get; }

    public string DefinitionPath { get; }

    /// <summary>Creates the topics.</summary>
    /// <param name="broker">Where.</param>
    /// <param name="partitionCount">Partitions of each.</param>
    /// <param name="remembers">False: a service whose features see nothing but the event.</param>
    public static async Task<TestService> CreateAsync(KafkaBroker broker, int partitionCount, bool remembers = true)
    {
        var topics = await broker.CreateTopicsAsync("lanes", partitionCount, "in", "labels", "scores", "alerts", "dlq", "aggregates");
        return new TestService(broker, topics, remembers);
    }

    /// <summary>A stream of ten days over 40 accounts and 12 merchants, seeded; every fifth outcome is fraud.</summary>
    public string WriteHistory(int eventCount, int seed, bool withLate = false)
    {
        var random = new Random(seed);
        var lines = new StringBuilder();
        double timeMs = new DateTimeOffset(2025, 3, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        for (int i = 0; i < eventCount; i++)
        {
            timeMs += random.NextDouble() * 2 * 864_000_000 / eventCount;
            long ms = (long)timeMs - (withLate && random.Next(20) == 0 ? random.Next(600_000) : 0);
            var time = DateTimeOffset.FromUnixTimeMilliseconds(ms);
            lines.Append(CultureInfo.InvariantCulture, $$"""{"transaction_id":"t-{{i}}","event_time":"{{time:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","amount_minor":{{random.Next(1, 20_000)}},"currency":"EUR","account_id":"a-{{random.Next(40)}}","merchant_id":"m-{{random.Next(12)}}","is_fraud":{{(random.Next(5) == 0 ? "true" : "false")}}}""").Append('\n');
        }

        string path = Path.Combine(folder.FullName, "history.jsonl");
        File.WriteAllText(path, lines.ToString());
        return path;
    }

    /// <summary>Runs a verb in this process and expects it to end well.</summary>
    public async Task<string> VerbAsync(params string[] args)
    {
        var (exitCode, output, error) = await TryVerbAsync(args);
        Assert.True(exitCode == ExitCode.Ok, error);
        return output;
    }

    /// <summary>Runs a verb in this process.</summary>
    public async Task<(int ExitCode, string Output, string Error)> TryVerbAsync(params string[] args)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        int exitCode = await CommandLine.RunAsync([.. args, "--definition", DefinitionPath, "--bootstrap-servers", Broker.BootstrapServers], output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>What a worker would say about the file, by transaction.</summary>
    public async Task<Dictionary<string, JsonObject>> ScoreFileAsync(string path)
    {
        string output = Path.Combine(folder.FullName, "scores.jsonl");
        await VerbAsync("score", path, "--without-model", "--emit", "features", "--out", output);
        return File.ReadLines(output).Select(line => JsonNode.Parse(line)!.AsObject()).ToDictionary(score => (string)score["transaction_id"]!, StringComparer.Ordinal);
    }

    /// <summary>Reads a topic until enough records are there.</summary>
    public List<ConsumeResult<byte[], byte[]>> Read(string name, Func<IReadOnlyList<ConsumeResult<byte[], byte[]>>, bool> isEnough, CancellationToken cancellation)
    {
        var config = new ConsumerConfig { BootstrapServers = Broker.BootstrapServers, GroupId = Topics[name], EnableAutoCommit = false, IsolationLevel = IsolationLevel.ReadCommitted };
        using var consumer = new ConsumerBuilder<byte[], byte[]>(config).Build();
        consumer.Assign(Enumerable.Range(0, Topics.PartitionCount).Select(partition => new TopicPartitionOffset(Topics[name], partition, Offset.Beginning)));
        var records = new List<ConsumeResult<byte[], byte[]>>();
        while (!isEnough(records))
        {
            records.Add(consumer.Consume(cancellation));
        }

        return records;
    }

    /// <summary>Records that a topic holds now.</summary>
    public long Count(string name)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = Broker.BootstrapServers, GroupId = "count" }).Build();
        return Enumerable.Range(0, Topics.PartitionCount).Sum(partition => consumer.QueryWatermarkOffsets(new TopicPartition(Topics[name], partition), TimeSpan.FromSeconds(10)).High.Value);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private string WithoutMemory() => $$"""
        {
          "service": "lanes",
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "features": [{ "name": "amount_now", "aggregate": "value", "of": "amount" }],
          "topics": {{TopicNames()}}
        }
        """;

    private string TopicNames() => $$"""
        { "transactions": "{{Topics["in"]}}", "labels": "{{Topics["labels"]}}", "scores": "{{Topics["scores"]}}", "alerts": "{{Topics["alerts"]}}", "dead_letters": "{{Topics["dlq"]}}", "aggregates": "{{Topics["aggregates"]}}" }
        """;

    private string Definition() => $$"""
        {
          "service": "lanes",
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "labels": { "delay": "1d", "path": "is_fraud" },
          "entities": {
            "account": { "key": ["account_id"] },
            "merchant": { "key": ["merchant_id"], "shared": { "pane": "1m", "settle": "10m" } }
          },
          "features": [
            { "name": "amount_now", "aggregate": "value", "of": "amount" },
            { "name": "account_count_1d", "entity": "account", "aggregate": "count", "window": "1d" },
            { "name": "account_mean_7d", "entity": "account", "aggregate": "mean", "of": "amount", "window": "7d" },
            { "name": "account_gap", "entity": "account", "aggregate": "time_since_last" },
            { "name": "account_rate_3d", "entity": "account", "aggregate": "label_rate", "window": "3d" },
            { "name": "merchant_count_6h", "entity": "merchant", "aggregate": "count", "window": "6h" },
            { "name": "merchant_mean_1d", "entity": "merchant", "aggregate": "mean", "of": "amount", "window": "1d" },
            { "name": "merchant_rate_3d", "entity": "merchant", "aggregate": "label_rate", "window": "3d" }
          ],
          "rules": [{ "name": "large", "when": "amount_minor > 19000", "then": "review" }],
          "topics": {{TopicNames()}}
        }
        """;
}
