using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Training;

/// <summary>From a trained model to a signed package.</summary>
internal static class PackageAssembly
{
    /// <summary>Rows whose scores the package states.</summary>
    public const int SmokeRows = 64;

    /// <summary>What people decide about a package, beside what was trained.</summary>
    internal sealed record Facts
    {
        public required string Name { get; init; }

        public required string Version { get; init; }

        public required string Service { get; init; }

        public required string PlanDigest { get; init; }

        public required IReadOnlyList<string> Features { get; init; }

        public long Sequence { get; init; } = 1;

        public DateTimeOffset? NotBefore { get; init; }

        public DateTimeOffset? Expires { get; init; }

        public string? PreviousSha256 { get; init; }
    }

    /// <summary>Signs a trained model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="facts">Name, service, plan and validity.</param>
    /// <param name="smokeRows">Feature vectors whose scores the package will state.</param>
    /// <param name="key">The signer's key.</param>
    public static byte[] Sign(TrainedModel model, Facts facts, IReadOnlyList<float[]> smokeRows, PackageKey key)
    {
        var engine = TreeEnsemble.Compile(model.Trees);
        var smoke = new SmokeVectors
        {
            Reference = "the trainer's engine, which agreed with ML.NET on every training row",
            Rows = smokeRows,
            Probabilities = [.. smokeRows.Select(row => model.Calibration.Probability(engine.ScoreOne(row)))],
        };
        var figures = model.Report.Figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary(figure => figure.Key, figure => figure.Value, StringComparer.Ordinal);
        var manifest = Manifest(facts, key) with
        {
            Producer = "fasttree",
            Training = model.Facts,
            Trees = new() { Calibration = model.Calibration.ToManifest() },
            Thresholds = model.Thresholds,
            Metrics = figures,
        };
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(model.Trees)),
            [PackageFiles.Smoke] = PackageJson.Write(smoke),
            [PackageFiles.Report] = PackageJson.Write(new Report(model.Facts, model.Thresholds, figures)),
        };
        return PackageWriter.Write(manifest, files, key);
    }

    /// <summary>A manifest with what every package states; the writer fills in the digests.</summary>
    public static PackageManifest Manifest(Facts facts, PackageKey key) => new()
    {
        Format = PackageManifest.FormatVersion,
        Name = facts.Name,
        Version = facts.Version,
        Service = facts.Service,
        PlanDigest = facts.PlanDigest,
        Features = facts.Features,
        Sequence = facts.Sequence,
        KeyId = key.Id,
        NotBefore = facts.NotBefore,
        Expires = facts.Expires,
        PreviousSha256 = facts.PreviousSha256,
        Producer = "",
        Thresholds = new(1, 1, ""),
        Files = new Dictionary<string, string>(StringComparer.Ordinal),
    };

    /// <summary>Some rows spread evenly over those given.</summary>
    public static IReadOnlyList<float[]> Spread(FeatureTable table, IReadOnlyList<int> rows)
    {
        int count = Math.Min(SmokeRows, rows.Count);
        return [.. Enumerable.Range(0, count).Select(i => table.Features(rows[(int)((long)i * rows.Count / count)]))];
    }

    private sealed record Report(TrainingFacts Training, ThresholdsManifest Thresholds, IReadOnlyDictionary<string, double> CalibrationWindow);
}
