using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Tests.Serving;

/// <summary>A running service's side of the models topic, and packages for it: each gives one probability to every row, so that scores tell which one scored.</summary>
internal sealed class OfferWorkshop : IDisposable, ILogger
{
    /// <summary>As many as the hostile files' sound parent takes.</summary>
    public const int FeatureCount = 15;

    public static readonly DateTimeOffset Now = new(2025, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ServiceDefinition definition;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");

    public OfferWorkshop(string? sequenceFile = null, bool isLive = true)
    {
        string path = Path.Combine(folder.FullName, "definition.json");
        string features = string.Join(',', Enumerable.Range(0, FeatureCount).Select(i => $$"""{ "name": "f{{i}}", "aggregate": "value", "of": "amount" }"""));
        File.WriteAllText(path, $$"""{ "service": "shop", "events": {}, "entities": {}, "features": [{{features}}] }""");
        definition = ServiceDefinitionReader.ReadFile(path).Definition!;
        Service = new Service(definition, Slot);
        Offers = new ModelOffers(Service, [Key], TakenSequence.Read(sequenceFile, Service.Topics.ModelsKey, 0, this), rowsMax: 256, new StepClock(), Metrics, this);
        if (isLive)
        {
            Offers.GoLive();
        }
    }

    public PackageKey Key { get; } = PackageKey.Create();

    public ModelSlot Slot { get; } = new();

    public Service Service { get; }

    public ModelOffers Offers { get; }

    public WorkerMetrics Metrics { get; } = new(Prometheus.Metrics.NewCustomRegistry());

    /// <summary>What was logged, a line each.</summary>
    public List<string> Lines { get; } = [];

    public PackageManifest Manifest(long sequence = 1) => new()
    {
        Format = PackageManifest.FormatVersion,
        Name = "shop",
        Version = $"v{sequence}",
        Service = "shop",
        PlanDigest = FeaturePlan.Compile(definition, EventSchema.From(definition)).Digest,
        Features = [.. definition.Features.Select(feature => feature.Name)],
        Sequence = sequence,
        KeyId = "",
        Producer = "test",
        Trees = new() { Calibration = Calibration.Identity.ToManifest() },
        Thresholds = new(0.9, 0.95, "test"),
        Files = new Dictionary<string, string>(StringComparer.Ordinal),
    };

    /// <summary>A package of one stump that gives <paramref name="probability"/>.</summary>
    public byte[] Package(long sequence, double probability, Func<PackageManifest, PackageManifest>? change = null, PackageKey? key = null, double? stated = null) =>
        PackageWriter.Write((change ?? (same => same))(Manifest(sequence)), Files(OnnxWriter.Write(OnnxTrees.Write(Stump(probability))), PackageFiles.Trees, stated ?? probability), key ?? Key);

    /// <summary>A package of one network that gives <paramref name="probability"/>.</summary>
    public byte[] NetworkPackage(long sequence, double probability) => FilePackage(sequence, OnnxWriter.Write(Network(probability)), PackageFiles.Network, probability);

    /// <summary>A signed package with any file as its model.</summary>
    public byte[] FilePackage(long sequence, byte[] model, string name, double probability)
    {
        var component = new ComponentManifest { Calibration = Calibration.Identity.ToManifest() };
        bool isNetwork = string.Equals(name, PackageFiles.Network, StringComparison.Ordinal);
        return PackageWriter.Write(Manifest(sequence) with { Trees = isNetwork ? null : component, Network = isNetwork ? component : null }, Files(model, name, probability), Key);
    }

    /// <summary>Signs anything as a package's content: header, signature and content as the container has them.</summary>
    public byte[] SignContent(byte[] content)
    {
        byte[] signature = Key.Sign(content);
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)signature.Length);
        return [.. "FSMODEL\u0001"u8, .. length, .. signature, .. content];
    }

    /// <summary>Offers a package as the topic does.</summary>
    public void Offer(byte[] package, string version = "as the header says") => Offers.Consider(package, new ModelRecordHeaders { Version = version, Sequence = "?" });

    /// <summary>What a lane would say now; null without a model.</summary>
    public double? Score()
    {
        Slot.Take(out var ensemble);
        using (ensemble)
        {
            return ensemble is null ? null : ScoreOf(ensemble);
        }
    }

    public static double ScoreOf(Ensemble ensemble)
    {
        var scores = new EnsembleScores(1);
        ensemble.Score(new FeatureBlock(FeatureCount, 1), 1, scores);
        return scores.Probability[0];
    }

    public double Refusals(string reason) => Metrics.ModelRefusals.WithLabels(reason).Value;

    public double Outcomes(string outcome) => Metrics.ModelOffers.WithLabels(outcome).Value;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(formatter(state, exception));

    public void Dispose()
    {
        Offers.Dispose();
        Slot.Dispose();
        Key.Dispose();
        folder.Delete(recursive: true);
    }

    private static Dictionary<string, byte[]> Files(byte[] model, string name, double probability) => new(StringComparer.Ordinal)
    {
        [name] = model,
        [PackageFiles.Smoke] = PackageJson.Write(new SmokeVectors
        {
            Reference = "the test",
            Rows = [.. Enumerable.Range(0, 3).Select(row => Enumerable.Repeat((float)row, FeatureCount).ToArray())],
            Probabilities = [probability, probability, probability],
        }),
    };

    private static TreeNodes Stump(double probability)
    {
        var builder = new TreeNodesBuilder(FeatureCount);
        builder.BeginTree();
        int root = builder.AddBranch(TreeNodeMode.AtMost, 0, 1e6f, missing: false, cover: 100);
        int low = builder.AddLeaf((float)probability, 50);
        builder.Connect(root, low, builder.AddLeaf((float)probability, 50));
        return builder.Build();
    }

    private static OnnxModel Network(double probability) => new()
    {
        OperatorSets = [new OnnxOperatorSet("", 17)],
        Graph = new OnnxGraph
        {
            Name = "constant",
            Nodes =
            [
                new OnnxNode { Operator = "MatMul", Inputs = ["features", "nothing"], Outputs = ["zero"] },
                new OnnxNode { Operator = "Add", Inputs = ["zero", "value"], Outputs = ["score"] },
            ],
            Initializers = [OnnxTensor.Of("nothing", new float[FeatureCount], FeatureCount, 1), OnnxTensor.Of("value", (ReadOnlySpan<float>)[(float)probability], 1)],
            Inputs = [OnnxValue.Matrix("features", FeatureCount)],
            Outputs = [OnnxValue.Matrix("score", 1)],
        },
    };
}
