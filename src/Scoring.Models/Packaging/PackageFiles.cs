namespace Scoring.Models.Packaging;

/// <summary>The only names a package may hold, in the order in which they stand in it.</summary>
public static class PackageFiles
{
    /// <summary>What the package is.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>Decision trees, ONNX.</summary>
    public const string Trees = "trees.onnx";

    /// <summary>A network or any other operator graph, ONNX.</summary>
    public const string Network = "network.onnx";

    /// <summary>Rows with the scores that the package must give for them.</summary>
    public const string Smoke = "smoke.json";

    /// <summary>What the trainer saw, for readers.</summary>
    public const string Report = "report.json";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = [Manifest, Trees, Network, Smoke, Report];
}
