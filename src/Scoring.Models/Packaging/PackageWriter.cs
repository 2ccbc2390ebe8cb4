using System.Security.Cryptography;

namespace Scoring.Models.Packaging;

/// <summary>Puts a model package together and signs it.</summary>
public static class PackageWriter
{
    /// <summary>Writes a package.</summary>
    /// <param name="manifest">The manifest; its digests and its key identifier are filled in here.</param>
    /// <param name="files">The other files by name, see <see cref="PackageFiles"/>.</param>
    /// <param name="key">A key that can sign.</param>
    /// <returns>The bytes of the file or message. The same manifest, files and key give the same zip and so the same digest; the signature in front of it differs.</returns>
    /// <exception cref="ArgumentException">A file has a name that a package may not hold.</exception>
    public static byte[] Write(PackageManifest manifest, IReadOnlyDictionary<string, byte[]> files, PackageKey key)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, content) in files)
        {
            if (!PackageFiles.All.Contains(name, StringComparer.Ordinal) || string.Equals(name, PackageFiles.Manifest, StringComparison.Ordinal))
            {
                throw new ArgumentException($"a package holds no file {name} beside its manifest", nameof(files));
            }

            digests[name] = Convert.ToHexStringLower(SHA256.HashData(content));
        }

        var complete = new Dictionary<string, byte[]>(files, StringComparer.Ordinal)
        {
            [PackageFiles.Manifest] = PackageJson.Write(manifest with { Files = digests, KeyId = key.Id, Format = PackageManifest.FormatVersion }),
        };
        var zip = PackageZip.Write(complete);
        return PackageContainer.Write(key.Sign(zip), zip);
    }
}
