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

        public PromotionManifest? Promotion { get; init; }
    }

    /// <summary>Signs a trained model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="facts">Name, service, plan and validity.</param>
    /// <param name="smokeRows">Feature vectors whose scores the package will state.</param>
    /// <param name="key">The signer's key.</param>
    public static byte[] Sign(TrainedModel model, Facts facts, IReadOnlyList<float[]> smokeRows, PackageKey key)
    {
        var smoke = new SmokeVectors
        {
            Reference = model.Network is null
                ? "the trainer's engine, which agreed with ML.NET on every training row"
                : "the trainer's engines: trees that agreed with ML.NET on every training row, and ONNX Runtime",
            Rows = smokeRows,
            Probabilities = model.Probabilities(smokeRows),
        };
        var figures = model.Report.Figures.Concat(model.Trial?.Figures ?? [])
            .Where(figure => double.IsFinite(figure.Value)).ToDictionary(figure => figure.Key, figure => figure.Value, StringComparer.Ordinal);
        var manifest = Manifest(facts, key) with
        {
            Producer = model.Network is null ? "fasttree" : "fasttree, network",
            Training = model.Facts,
            Trees = new() { Calibration = model.Calibration.ToManifest() },
            Network = model.Stacked is { } network ? new() { Calibration = network.Calibration.ToManifest() } : null,
            Blend = model.Stacked is { Blend: var blend } ? new(blend.Bias, blend.TreesWeight, blend.NetworkWeight) : null,
            Thresholds = model.Thresholds,
            Metrics = figures,
        };
        var trial = model.Trial is { } tried ? new TrialReport(tried.IsTaken, tried.Reason) : null;
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(model.Trees)),
            [PackageFiles.Smoke] = PackageJson.Write(smoke),
            [PackageFiles.Report] = PackageJson.Write(new Report(model.Facts, model.Thresholds, figures, trial)),
        };
        if (model.Network is { } trained)
        {
            files[PackageFiles.Network] = trained.Model.ToBytes();
        }

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
        Promotion = facts.Promotion,
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

    private sealed record Report(TrainingFacts Training, ThresholdsManifest Thresholds, IReadOnlyDictionary<string, double> CalibrationWindow, TrialReport? Network);

    private sealed record TrialReport(bool Taken, string Reason);
}
