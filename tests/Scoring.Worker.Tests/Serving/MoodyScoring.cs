using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Tests.Serving;

/// <summary>Files of events, scored by the trees and the network of <see cref="MoodyNetwork"/>, with a clock that is moved by hand.</summary>
public abstract class MoodyScoring : IDisposable
{
    /// <summary>Amounts to which the network gives a low score, a high one, none, and on which it fails.</summary>
    protected const int Low = 50, Good = 150, NoNumber = 250, Failing = 700;

    private int fileCount;

    private protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("fraudscoring-");

    private protected StepClock Clock { get; } = new();

    private protected WorkerMetrics Counted { get; } = new(Metrics.NewCustomRegistry());

    public void Dispose()
    {
        Folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected static string? Reason(JsonNode score) => (string?)score["degraded_reason"];

    private protected FileScorer Scorer(int rowsMax, ServingDevice? device = null, bool withTrees = true, ServingOptions? options = null)
    {
        var (definition, package, key) = MoodyNetwork.Write(Folder.FullName, withTrees);
        var serving = (options ?? new ServingOptions()) with { Definition = definition, Package = package, VerificationKeys = [key] };
        var service = new Service(ModelLoader.ReadDefinition(definition), new ModelSlot()) { Device = device };
        ModelLoader.Load(serving, service, Clock, Counted, NullLogger.Instance);
        var settings = new WorkerSettings
        {
            Kafka = new KafkaOptions(),
            Lanes = new LaneOptions { RowsMax = rowsMax },
            Operations = new OperationsOptions(),
            Serving = serving,
            Aggregates = new AggregatesOptions(),
        };
        return new FileScorer(service, settings, Clock, Counted, NullLogger.Instance);
    }

    /// <summary>Scores one event per amount; in batches of as many rows as the scorer takes.</summary>
    private protected List<JsonNode> Score(FileScorer scorer, params int[] amountsMinor)
    {
        string path = Path.Combine(Folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{fileCount++}.jsonl"));
        File.WriteAllLines(path, amountsMinor.Select((amountMinor, i) =>
            $$"""{"transaction_id":"t-{{fileCount}}-{{i}}","event_time":"2025-02-28T00:00:00Z","amount_minor":{{amountMinor}},"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}"""));
        using var output = new MemoryStream();
        using var refused = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(ExitCode.Ok, scorer.Run(path, output, refused));
        Assert.Equal("", refused.ToString());
        string[] lines = System.Text.Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(amountsMinor.Length, lines.Length);
        return [.. lines.Select(line => JsonNode.Parse(line)!)];
    }
}
