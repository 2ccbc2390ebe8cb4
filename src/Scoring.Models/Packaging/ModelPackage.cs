namespace Scoring.Models.Packaging;

/// <summary>A model package whose signature, limits, digests and manifest were found good. Immutable; made by <see cref="PackageVerifier"/>.</summary>
public sealed class ModelPackage
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>> files;

    internal ModelPackage(PackageManifest manifest, string sha256, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        Manifest = manifest;
        Sha256 = sha256;
        this.files = files;
    }

    /// <summary>What the package says about itself.</summary>
    public PackageManifest Manifest { get; }

    /// <summary>SHA-256 of the signed content (the zip), lower-case hex: the digest that scores name. The same inputs give the same digest; the signature beside it differs each time.</summary>
    public string Sha256 { get; }

    /// <summary>A file of the package, see <see cref="PackageFiles"/>; empty where it has none.</summary>
    public ReadOnlyMemory<byte> File(string name) => files.GetValueOrDefault(name);
}
