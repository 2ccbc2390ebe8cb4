using System.IO.Compression;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

namespace Scoring.Models.Tests.Packaging;

/// <summary>Makes sound packages, and broken ones that a signer's key has signed all the same.</summary>
internal sealed class PackageWorkshop : IDisposable
{
    public PackageKey Key { get; } = PackageKey.Create();

    public VerificationPolicy Policy => new() { AcceptedKeys = [Key], Service = "shop", PlanDigest = "plan-1" };

    /// <summary>Two stumps over two features: amount at 100, count at 3.</summary>
    public static TreeNodes Trees()
    {
        var builder = new TreeNodesBuilder(featureCount: 2) { BaseValue = -2 };
        Stump(feature: 0, threshold: 100, low: -1, high: 2, lowCover: 90, highCover: 10);
        Stump(feature: 1, threshold: 3, low: -0.5f, high: 1, lowCover: 70, highCover: 30);
        return builder.Build();

        void Stump(int feature, float threshold, float low, float high, float lowCover, float highCover)
        {
            builder.BeginTree();
            int root = builder.AddBranch(TreeNodeMode.AtMost, feature, threshold, missing: false, cover: lowCover + highCover);
            int left = builder.AddLeaf(low, lowCover);
            builder.Connect(root, left, builder.AddLeaf(high, highCover));
        }
    }

    public static PackageManifest Manifest() => new()
    {
        Format = PackageManifest.FormatVersion,
        Name = "shop-trees",
        Version = "1",
        Service = "shop",
        PlanDigest = "plan-1",
        Features = ["amount", "count_1d"],
        Sequence = 7,
        KeyId = "",
        Producer = "test",
        Trees = new() { Calibration = Calibration.Platt(0.8, -0.3).ToManifest() },
        Thresholds = new(0.2, 0.9, "test"),
        Files = new Dictionary<string, string>(StringComparer.Ordinal),
    };

    /// <summary>Rows and, worked out by hand from the stumps above, their calibrated probabilities.</summary>
    public static SmokeVectors Smoke() => new()
    {
        Reference = "arithmetic",
        Rows = [[50, 1], [500, 1], [500, 9], [float.NaN, float.NaN]],
        Probabilities = [Probability(-3.5), Probability(-0.5), Probability(1), Probability(1)],
    };

    public static Dictionary<string, byte[]> Files() => new(StringComparer.Ordinal)
    {
        [PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(Trees())),
        [PackageFiles.Smoke] = PackageJson.Write(Smoke()),
        [PackageFiles.Report] = "{}"u8.ToArray(),
    };

    public byte[] Sound() => PackageWriter.Write(Manifest(), Files(), Key);

    /// <summary>Signs any zip.</summary>
    public byte[] SignZip(Action<ZipArchive> fill)
    {
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            fill(zip);
        }

        return Sign(buffer.ToArray());
    }

    public byte[] Sign(byte[] content) => PackageContainer.Write(Key.Sign(content), content);

    public static void Add(ZipArchive zip, string name, byte[] content)
    {
        using var stream = zip.CreateEntry(name).Open();
        stream.Write(content);
    }

    public void Dispose() => Key.Dispose();

    private static double Probability(double margin) => 1 / (1 + Math.Exp(-((0.8 * margin) - 0.3)));
}
