using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Definitions;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>A service that has answered a stream, its worker gone; and copies of what it published, with a fault planted.</summary>
internal sealed class VerifiedService : IDisposable
{
    private const int PartitionCount = 4;

    private static readonly string[] Outputs = ["scores", "alerts", "dlq", "aggregates"];

    private readonly KafkaBroker broker;
    private readonly TestTopics topics;
    private readonly TestFolder folder = new();
    private readonly string shipped;
    private readonly Dictionary<string, List<ConsumeResult<byte[], byte[]>>> published = new(StringComparer.Ordinal);

    private VerifiedService(KafkaBroker broker, TestTopics topics, string shipped)
    {
        this.broker = broker;
        this.topics = topics;
        this.shipped = shipped;
        DefinitionPath = folder.File("definition.json");
    }

    public string DefinitionPath { get; }

    /// <summary>Its consumer group.</summary>
    public string Group => topics.Prefix;

    /// <summary>The topic of its transactions.</summary>
    public string Transactions => topics["transactions"];

    /// <summary>The topic of its scores.</summary>
    public string Scores => topics["scores"];

    /// <summary>A definition that ships has a worker answer a stream, by rules alone.</summary>
    public static async Task<VerifiedService> RunAsync(KafkaBroker broker, string shipped, int count, int seed)
    {
        var own = await broker.CreateTopicsAsync("verify", PartitionCount, DefinitionFiles.TopicNames);
        var service = new VerifiedService(broker, own, shipped);
        File.Move(DefinitionFiles.Write(service.folder, shipped, own, Change), service.DefinitionPath);
        await service.AnswerAsync(own["transactions"], count, seed, ["--without-model"]);
        return service;
    }

    /// <summary>The service of the lanes' tests does, by its trees and its network.</summary>
    public static async Task<VerifiedService> RunAsync(KafkaBroker broker, TestModel model, int count, int seed)
    {
        await model.ReadyAsync();
        var own = await broker.CreateTopicsAsync("verify", PartitionCount, "in", "labels", "scores", "alerts", "dlq", "aggregates", "state", "models");
        var service = new VerifiedService(broker, own, "lanes");
        await File.WriteAllTextAsync(service.DefinitionPath, TestService.Definition(own), TestContext.Current.CancellationToken);
        await service.AnswerAsync(own["in"], count, seed, ["--package", model.PackagePath, "--verification-key", model.KeyPath]);
        return service;
    }

    /// <summary>Verifies what the worker has published.</summary>
    public Task<(int ExitCode, string Output)> VerifyAsync(params IEnumerable<string> args) => VerifyAsync(DefinitionPath, args);

    /// <summary>Copies what was published to topics of their own, changed, and verifies these.</summary>
    /// <param name="change">Changes the records of a topic: <c>scores</c>, <c>alerts</c>, <c>dlq</c>, <c>aggregates</c>.</param>
    /// <param name="args">More of the command line.</param>
    public async Task<JsonNode> VerifyChangedAsync(Action<Dictionary<string, List<PublishedRecord>>> change, params IEnumerable<string> args)
    {
        var copies = await broker.CreateTopicsAsync("planted", PartitionCount, Outputs);
        string path = folder.File($"{copies.Prefix}.json");
        var definition = JsonNode.Parse(await File.ReadAllTextAsync(DefinitionPath, TestContext.Current.CancellationToken))!;
        definition["topics"]!["scores"] = copies["scores"];
        definition["topics"]!["alerts"] = copies["alerts"];
        definition["topics"]!["dead_letters"] = copies["dlq"];
        definition["topics"]!["aggregates"] = copies["aggregates"];
        await File.WriteAllTextAsync(path, definition.ToJsonString(), TestContext.Current.CancellationToken);
        string digest = ServiceDefinitionReader.ReadFile(DefinitionPath).Definition!.Digest;
        string newDigest = ServiceDefinitionReader.ReadFile(path).Definition!.Digest;
        var records = Outputs.ToDictionary(name => name, name => Read(name).ConvertAll(record => PublishedRecord.Of(record, digest, newDigest)), StringComparer.Ordinal);
        change(records);
        using (var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, EnableIdempotence = true }).Build())
        {
            foreach (var (name, list) in records)
            {
                list.ForEach(record => producer.Produce(new TopicPartition(copies[name], record.Partition), record.ToMessage()));
            }

            producer.Flush(TestContext.Current.CancellationToken);
        }

        var (exitCode, output) = await VerifyAsync(path, [.. args, "--json"]);
        var report = JsonNode.Parse(output)!;
        report["exit_code"] = exitCode;
        return report;
    }

    /// <summary>Removes the first records of a partition, as retention does.</summary>
    public async Task RemoveBeforeAsync(string name, int partition, long offset)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(topics[name], partition, offset)]);
    }

    public void Dispose() => folder.Dispose();

    private async Task AnswerAsync(string transactions, int count, int seed, IReadOnlyList<string> model)
    {
        var stream = new PaymentStream(seed);
        var events = stream.Events(shipped, count).ToList();
        PaymentStream.Send(broker.BootstrapServers, transactions, events);
        PaymentStream.Send(broker.BootstrapServers, topics["labels"], stream.Labels());
        int good = events.Count(one => one.Value.EndsWith('}'));

        // At least once a second lane that joins repeats dead letters that stand behind rows still waiting.
        string lanes = broker.Kind == BrokerKind.Embedded ? "1" : "2";
        await using var worker = OwnProgram.StartWorker(
            ["run", "--bootstrap-servers", broker.BootstrapServers, "--definition", DefinitionPath, "--group", topics.Prefix, .. model, .. broker.DeliveryArguments, "--emit", "features", "--lanes", lanes, "--http", "127.0.0.1:0"]);
        using (var reader = new TopicReader(broker.BootstrapServers, topics["scores"], PartitionCount))
        {
            int taken = reader.Take(good, TimeSpan.FromSeconds(60), _ => { }, () => !worker.HasEnded);
            Assert.True(taken == good, $"{taken} of {good} scores came; the worker said:\n{worker.Printed}");
        }

        Assert.Equal(0, await worker.TerminateAsync());
    }

    private async Task<(int ExitCode, string Output)> VerifyAsync(string definition, IEnumerable<string> args)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        int exitCode = await CommandLine.RunAsync(["verify", "--definition", definition, "--bootstrap-servers", broker.BootstrapServers, "--group", topics.Prefix, .. args], output, error);
        Assert.True(exitCode is ExitCode.Ok or ExitCode.Data, $"{exitCode}: {error}");
        return (exitCode, output.ToString());
    }

    // Rules that ask for action often enough, so that there are alerts.
    private static void Change(JsonNode definition)
    {
        definition["rules"] ??= new JsonArray();
        definition["rules"]!.AsArray().Add(new JsonObject { ["name"] = "large", ["when"] = "amount > 400", ["then"] = "review" });
        definition["service"] = $"{definition["service"]}-verified";
    }

    private List<ConsumeResult<byte[], byte[]>> Read(string name)
    {
        if (!published.TryGetValue(name, out var records))
        {
            records = [];
            using var reader = new TopicReader(broker.BootstrapServers, topics[name], PartitionCount);
            reader.Take(int.MaxValue, TimeSpan.FromSeconds(2), records.Add);
            published.Add(name, records);
        }

        Assert.True(records.Count > 0 || name is "aggregates", $"{shipped}: nothing stands on {name}");
        return records;
    }
}
