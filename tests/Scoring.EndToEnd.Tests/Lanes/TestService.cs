using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A service with topics of its own: accounts, merchants that every partition sees, labels, a rule that alerts, a model.</summary>
internal sealed class TestService : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");

    private TestService(KafkaBroker broker, TestModel? model, TestTopics topics, string definition)
    {
        Broker = broker;
        Serving = new ServingOptions
        {
            Definition = Path.Combine(folder.FullName, "definition.json"),
            Package = model?.PackagePath,
            VerificationKeys = model is null ? [] : [model.KeyPath],
            WithoutModel = model is null,
        };
        Topics = topics;
        File.WriteAllText(DefinitionPath, definition);
    }

    public KafkaBroker Broker { get; }

    /// <summary>What scores.</summary>
    public ServingOptions Serving { get; }

    public TestTopics Topics { get; }

    public string DefinitionPath => Serving.Definition!;

    /// <summary>The command line's way to name the model.</summary>
    public IReadOnlyList<string> ModelArguments => Serving.Package is { } package ? ["--package", package, "--verification-key", Serving.VerificationKeys[0]] : ["--without-model"];

    public static async Task<TestService> CreateAsync(KafkaBroker broker, TestModel model, int partitionCount)
    {
        await model.ReadyAsync();
        var topics = await CreateTopicsAsync(broker, partitionCount);
        return new TestService(broker, model, topics, Definition(topics));
    }

    /// <summary>The same service under a name of its own, so that its default group is its own too; rules alone decide.</summary>
    public static async Task<TestService> NamedAsync(KafkaBroker broker, string name, int partitionCount)
    {
        var topics = await CreateTopicsAsync(broker, partitionCount);
        return new TestService(broker, model: null, topics, Definition(topics).Replace("\"service\": \"lanes\"", $"\"service\": \"{name}\"", StringComparison.Ordinal));
    }

    /// <summary>A service whose features see nothing but the event, and whose rules decide.</summary>
    public static async Task<TestService> WithoutMemoryAsync(KafkaBroker broker, int partitionCount)
    {
        var topics = await CreateTopicsAsync(broker, partitionCount);
        return new TestService(broker, model: null, topics, WithoutMemory(topics));
    }

    /// <summary>Writes a <see cref="TestHistory"/> of its own.</summary>
    public string WriteHistory(int eventCount, int seed, bool withLate = false, DateTimeOffset? start = null, int accountCount = 40)
    {
        string path = Path.Combine(folder.FullName, "history.jsonl");
        TestHistory.Write(path, eventCount, seed, withLate, start, accountCount);
        return path;
    }

    /// <summary>Writes lines to a file.</summary>
    public string Write(string name, IEnumerable<string> lines)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllLines(path, lines);
        return path;
    }

    /// <summary>Writes the definition once more, changed, for a program that is set up otherwise than the service.</summary>
    public string WriteDefinition(string name, Func<string, string> change)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, change(File.ReadAllText(DefinitionPath)));
        return path;
    }

    /// <summary>Runs a verb in this process and expects it to end well.</summary>
    public async Task<string> VerbAsync(params IEnumerable<string> args)
    {
        var (exitCode, output, error) = await TryVerbAsync(args);
        Assert.True(exitCode == ExitCode.Ok, error);
        return output;
    }

    /// <summary>Runs a verb in this process.</summary>
    public async Task<(int ExitCode, string Output, string Error)> TryVerbAsync(params IEnumerable<string> args)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        int exitCode = await CommandLine.RunAsync([.. args, "--definition", DefinitionPath, "--bootstrap-servers", Broker.BootstrapServers], output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Writes records of given values, one after the other.</summary>
    public async Task SendAsync(string topic, int partition, IEnumerable<string> values, CancellationToken cancellation)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = Broker.BootstrapServers }).Build();
        foreach (string value in values)
        {
            await producer.ProduceAsync(new TopicPartition(Topics[topic], partition), new Message<Null, string> { Value = value }, cancellation);
        }
    }

    /// <summary>Writes labels that no worker takes: each gets a dead letter.</summary>
    public Task RefuseLabelsAsync(int partition, int count, CancellationToken cancellation) => SendAsync("labels", partition, Enumerable.Repeat("{", count), cancellation);

    /// <summary>What a worker would say about the file, by transaction.</summary>
    public async Task<Dictionary<string, JsonObject>> ScoreFileAsync(string path)
    {
        string output = Path.Combine(folder.FullName, "scores.jsonl");
        await VerbAsync(["score", path, .. ModelArguments, "--emit", "features", "--out", output]);
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

    /// <summary>Committed records that a topic holds now, or has held where the broker is the embedded one, which gives up all but the last 5 MB of a partition; markers of transactions take offsets too and are none.</summary>
    public long Count(string name)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = Broker.BootstrapServers,
            GroupId = "count",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            IsolationLevel = IsolationLevel.ReadCommitted,
        }).Build();
        List<TopicPartition> partitions = [.. Enumerable.Range(0, Topics.PartitionCount).Select(partition => new TopicPartition(Topics[name], partition))];
        consumer.Assign(partitions.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)));
        long count = Broker.Kind == BrokerKind.Embedded ? partitions.Sum(partition => consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(30)).Low.Value) : 0;
        for (int ended = 0; ended < Topics.PartitionCount;)
        {
            bool isEnd = consumer.Consume(TestContext.Current.CancellationToken).IsPartitionEOF;
            ended += isEnd ? 1 : 0;
            count += isEnd ? 0 : 1;
        }

        return count;
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>The definition, on those topics.</summary>
    public static string Definition(TestTopics topics) => $$"""
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
          "topics": {{Names(topics)}}
        }
        """;

    /// <summary>Topics that take a value of ten megabytes, where the broker is a real one: the worker's producer would not send it, a payment system may.</summary>
    private static Task<TestTopics> CreateTopicsAsync(KafkaBroker broker, int partitionCount) =>
        broker.CreateTopicsAsync("lanes", partitionCount, new Dictionary<string, string>(StringComparer.Ordinal) { ["max.message.bytes"] = "12000000" }, "in", "labels", "scores", "alerts", "dlq", "aggregates", "state", "models");

    private static string WithoutMemory(TestTopics topics) => $$"""
        {
          "service": "lanes",
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "features": [{ "name": "amount_now", "aggregate": "value", "of": "amount" }],
          "topics": {{Names(topics)}}
        }
        """;

    private static string Names(TestTopics topics) => $$"""
        { "transactions": "{{topics["in"]}}", "labels": "{{topics["labels"]}}", "scores": "{{topics["scores"]}}", "alerts": "{{topics["alerts"]}}", "dead_letters": "{{topics["dlq"]}}", "aggregates": "{{topics["aggregates"]}}", "state": "{{topics["state"]}}", "models": "{{topics["models"]}}" }
        """;
}
