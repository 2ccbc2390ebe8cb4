using System.Globalization;
using Scoring.Models.Packaging;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>A folder of packages, for those who carry packages to their workers themselves: behind a person's approval, or where no topic is shared.</summary>
internal sealed class FolderChannel : IModelChannel
{
    private readonly string path;
    private readonly VerificationPolicy policy;

    /// <summary>Makes the folder if need be.</summary>
    public FolderChannel(string path, IReadOnlyList<PackageKey> keys)
    {
        this.path = path;
        policy = new() { AcceptedKeys = keys, Limits = ModelsTopic.Limits };
        Directory.CreateDirectory(path);
    }

    /// <inheritdoc/>
    public OfferedPackage? Champion()
    {
        OfferedPackage? champion = null;
        foreach (string name in Directory.EnumerateFiles(path, "*.fsmodel"))
        {
            byte[] file = File.ReadAllBytes(name);
            if (PackageVerifier.Look(file, policy).Package is { } package && package.Manifest.Sequence > (champion?.Package.Manifest.Sequence ?? long.MinValue))
            {
                champion = new(file, package);
            }
        }

        return champion;
    }

    /// <inheritdoc/>
    public Publication Publish(byte[] file, ModelPackage package)
    {
        var manifest = package.Manifest;
        var champion = Champion()?.Package;
        if (string.Equals(champion?.Sha256, package.Sha256, StringComparison.Ordinal))
        {
            return new(PublicationOutcome.Already, $"{package.Sha256[..12]} is offered already");
        }

        if (manifest.Sequence <= champion?.Manifest.Sequence)
        {
            return new(PublicationOutcome.Refused, string.Create(CultureInfo.InvariantCulture, $"sequence {manifest.Sequence} is not above {champion.Manifest.Sequence}, which is offered"));
        }

        string name = Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"{manifest.Sequence:000000}-{package.Sha256[..12]}.fsmodel"));
        AtomicFile.Write(name, file);
        return new(PublicationOutcome.Published, $"wrote {name}");
    }
}
