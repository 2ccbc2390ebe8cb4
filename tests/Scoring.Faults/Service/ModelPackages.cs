using System.Text;
using Confluent.Kafka;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Faults.Service;

/// <summary>Signed models of a service: one tree, which asks for the amount.</summary>
internal sealed class ModelPackages
{
    private const float Threshold = 400;
    private const float Low = 0.125f;
    private const float High = 0.5f;

    private readonly FaultService service;
    private readonly FeaturePlan plan;
    private readonly string secret;

    /// <summary>Makes a key, and writes its public half into the service's folder.</summary>
    public ModelPackages(FaultService service)
    {
        this.service = service;
        var definition = ServiceDefinitionReader.ReadFile(service.DefinitionPath).Definition!;
        plan = FeaturePlan.Compile(definition, EventSchema.From(definition));
        KeyPath = Path.Combine(service.Folder, "key.pem");
        using var key = PackageKey.Create();
        secret = key.WritePrivate();
        File.WriteAllText(KeyPath, key.WritePublic());
    }

    /// <summary>Who may have signed.</summary>
    public string KeyPath { get; }

    /// <summary>A package.</summary>
    /// <param name="sequence">Its place in the service's sequence.</param>
    /// <param name="change">Makes it one that should not be taken; nothing by default.</param>
    /// <param name="trees">The model's file, where it is another than a sound one.</param>
    /// <param name="signer">Who signs, where it is somebody else.</param>
    public byte[] Package(long sequence, Func<PackageManifest, PackageManifest>? change = null, byte[]? trees = null, PackageKey? signer = null)
    {
        var manifest = new PackageManifest
        {
            Format = PackageManifest.FormatVersion,
            Name = "amount",
            Version = FormattableString.Invariant($"v{sequence}"),
            Service = service.Name,
            PlanDigest = plan.Digest,
            Features = [.. plan.FeatureNames],
            Sequence = sequence,
            KeyId = "",
            Producer = "faults",
            Trees = new() { Calibration = Calibration.Identity.ToManifest() },
            Thresholds = new(0.9, 0.95, "faults"),
            Files = new Dictionary<string, string>(StringComparer.Ordinal),
        };
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Trees] = trees ?? OnnxWriter.Write(OnnxTrees.Write(Stump())),
            [PackageFiles.Smoke] = PackageJson.Write(new SmokeVectors { Reference = "faults", Rows = [Row(0), Row(Threshold + 1)], Probabilities = [Low, High] }),
        };
        using var own = PackageKey.ReadPrivate(secret);
        return PackageWriter.Write((change ?? (same => same))(manifest), files, signer ?? own);
    }

    /// <summary>Offers a package on the models topic.</summary>
    public async Task OfferAsync(string bootstrapServers, byte[] package, CancellationToken stopping)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = bootstrapServers, Acks = Acks.All, MessageMaxBytes = ModelsTopic.RecordBytesMax }).SetLogHandler((_, _) => { }).Build();
        await producer.ProduceAsync(service.Topic("models"), new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(ModelsTopic.Key(service.Name, "champion")), Value = package }, stopping);
    }

    private float[] Row(float amount) => [.. plan.FeatureNames.Select(name => string.Equals(name, "amount_now", StringComparison.Ordinal) ? amount : 0)];

    private TreeNodes Stump()
    {
        var builder = new TreeNodesBuilder(plan.FeatureNames.Count);
        builder.BeginTree();
        int root = builder.AddBranch(TreeNodeMode.AtMost, plan.FeatureNames.ToList().IndexOf("amount_now"), Threshold, missing: false, cover: 100);
        int low = builder.AddLeaf(Low, 50);
        builder.Connect(root, low, builder.AddLeaf(High, 50));
        return builder.Build();
    }
}
