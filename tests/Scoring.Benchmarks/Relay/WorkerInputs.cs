using System.Text.Json.Nodes;
using Scoring.Benchmarks.Inputs;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Benchmarks.Relay;

/// <summary>The files that a worker starts from: our own contract's definition with topics of its own, and a signed package of 200 trees.</summary>
internal sealed class WorkerInputs : IDisposable
{
    private readonly byte[] json;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-benchmarks-");

    /// <summary>Writes them.</summary>
    /// <param name="json">The service's definition.</param>
    /// <param name="trees">The trees; their features are those of the plan in turn.</param>
    /// <param name="stream">Events like those that the worker will get.</param>
    /// <param name="eventCount">How many of them; a multiple of 16.</param>
    public WorkerInputs(ReadOnlySpan<byte> json, TreeNodes trees, PaymentEvents stream, int eventCount)
    {
        this.json = json.ToArray();
        var definition = Definitions.Read(json);
        var plan = FeaturePlan.Compile(definition, EventSchema.From(definition));
        var nodes = trees with { FeatureCount = plan.FeatureCount, Features = trees.Features.ToArray().Select(feature => feature % plan.FeatureCount).ToArray() };
        var calibration = Calibration.Platt(0.3, -4);
        float[][] rows = [.. Enumerable.Range(0, 8).Select(row => Enumerable.Range(0, plan.FeatureCount).Select(feature => (float)(row * feature)).ToArray())];
        var engine = TreeEnsemble.Compile(nodes);
        double[] margins = Margins(definition, plan, engine, stream, eventCount);
        using var key = PackageKey.Create();
        File.WriteAllBytes(Package, PackageWriter.Write(
            new PackageManifest
            {
                Format = PackageManifest.FormatVersion,
                Name = "benchmark",
                Version = "1",
                Service = definition.Service,
                PlanDigest = plan.Digest,
                Features = plan.FeatureNames,
                Sequence = 1,
                KeyId = key.Id,
                Producer = "fasttree",
                Trees = new() { Calibration = calibration.ToManifest() },
                Thresholds = new(Quantile(0.99), Quantile(0.999), "benchmark"),
                Files = new Dictionary<string, string>(StringComparer.Ordinal),
            },
            new Dictionary<string, byte[]>(StringComparer.Ordinal)
            {
                [PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(nodes)),
                [PackageFiles.Report] = "{}"u8.ToArray(),
                [PackageFiles.Smoke] = PackageJson.Write(new SmokeVectors
                {
                    Reference = "our own engine, row by row",
                    Rows = rows,
                    Probabilities = [.. rows.Select(row => calibration.Probability(engine.ScoreOne(row)))],
                }),
            },
            key));
        File.WriteAllText(Key, key.WritePublic());

        // Above the events that have the same margin, where there are some: a threshold takes all of them, and they may be three times as many as are wanted.
        double Quantile(double share)
        {
            int at = (int)(share * margins.Length);
            while (at < margins.Length - 1 && margins[at] == margins[at - 1])
            {
                at++;
            }

            return calibration.Probability(margins[at]);
        }
    }

    /// <summary>Path of the package.</summary>
    public string Package => Path.Combine(folder.FullName, "benchmark.fsp");

    /// <summary>Path of the public key that has signed it.</summary>
    public string Key => Path.Combine(folder.FullName, "benchmark.pem");

    /// <summary>Topics of one run, as the worker's check wants them.</summary>
    public static string[] Topics(string run) => [$"{run}.in", .. Outputs(run)];

    /// <summary>Those of them that a run has for itself where another's input is read.</summary>
    public static string[] Outputs(string run) => [$"{run}.labels", $"{run}.scores", $"{run}.alerts", $"{run}.dlq", $"{run}.aggregates", $"{run}.state"];

    /// <summary>Writes the definition with the topics of one run.</summary>
    /// <param name="run">Names the outputs.</param>
    /// <param name="input">Names the input.</param>
    /// <returns>Its path.</returns>
    public string WriteDefinition(string run, string input)
    {
        var definition = JsonNode.Parse(json)!.AsObject();
        definition["topics"] = new JsonObject
        {
            ["transactions"] = $"{input}.in",
            ["labels"] = $"{run}.labels",
            ["scores"] = $"{run}.scores",
            ["alerts"] = $"{run}.alerts",
            ["dead_letters"] = $"{run}.dlq",
            ["aggregates"] = $"{run}.aggregates",
            ["state"] = $"{run}.state",
        };
        string path = Path.Combine(folder.FullName, $"{run}.json");
        File.WriteAllText(path, definition.ToJsonString());
        return path;
    }

    /// <summary>The worker's command line for one run.</summary>
    /// <param name="servers">Brokers.</param>
    /// <param name="run">Names the outputs and the group.</param>
    /// <param name="input">Names the input.</param>
    /// <param name="http">Where it answers.</param>
    /// <param name="settings">As <c>--set</c> takes them.</param>
    public IEnumerable<string> Arguments(string servers, string run, string input, string http, params IEnumerable<string> settings) =>
    [
        "run", "--definition", WriteDefinition(run, input), "--bootstrap-servers", servers, "--group", run, "--from", "earliest",
        "--package", Package, "--verification-key", Key, "--http", http, .. settings.SelectMany(setting => new[] { "--set", setting }),
    ];

    // Ascending. One event in a hundred is reviewed and so explained and told as an alert: about what a card issuer's analysts bear.
    private static double[] Margins(ServiceDefinition definition, FeaturePlan plan, TreeEnsemble engine, PaymentEvents stream, int eventCount)
    {
        var decoder = new EventDecoder(definition);
        var headers = new EventHeaders();
        var batch = new TransactionBatch(decoder.Schema, TreeEnsemble.BlockRows);
        var block = new FeatureBlock(plan.FeatureCount, TreeEnsemble.BlockRows);
        var features = new FeatureEngine(plan, new SharedAggregates(plan, sourceCount: 1));
        using var state = new PartitionState(plan, partition: 0);
        double[] margins = new double[eventCount];
        for (int done = 0; done < eventCount; done += TreeEnsemble.BlockRows)
        {
            batch.Clear();
            while (!batch.IsFull)
            {
                decoder.Decode(stream.Next(), isNull: false, headers, long.MaxValue / 2, batch);
                batch.Accept(partition: 0, offset: done, appendTimeMs: 0);
            }

            features.Process(batch, 0, batch.RowCount, [state], block);
            engine.Score(block.Block(0), margins.AsSpan(done, TreeEnsemble.BlockRows));
        }

        Array.Sort(margins);
        return margins;
    }

    /// <inheritdoc/>
    public void Dispose() => folder.Delete(recursive: true);
}
