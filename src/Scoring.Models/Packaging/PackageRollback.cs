namespace Scoring.Models.Packaging;

/// <summary>Puts an earlier model forward again: the same model, signed anew with the next sequence and the statement what it goes back to.</summary>
/// <remarks>
/// Workers know no exception to "never below the sequence that was taken": a rollback is a newer package, made by someone who holds the key.
/// The record that made it cannot be played again either. See docs/decisions/0007.
/// </remarks>
public static class PackageRollback
{
    /// <summary>Signs it.</summary>
    /// <param name="earlier">The package to go back to, verified.</param>
    /// <param name="sequence">Higher than every sequence that the channel has had.</param>
    /// <param name="replaces">Digest of the package that is offered now; null when none is.</param>
    /// <param name="expires">When it expires; null keeps what the earlier package says.</param>
    /// <param name="key">A key that can sign.</param>
    /// <returns>The bytes of the record.</returns>
    /// <exception cref="ArgumentException">The sequence is not higher than the earlier package's own.</exception>
    public static byte[] Sign(ModelPackage earlier, long sequence, string? replaces, DateTimeOffset? expires, PackageKey key)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        if (sequence <= earlier.Manifest.Sequence)
        {
            throw new ArgumentException($"sequence {sequence} is not above {earlier.Manifest.Sequence}, the earlier package's own", nameof(sequence));
        }

        var files = PackageFiles.All
            .Where(name => !string.Equals(name, PackageFiles.Manifest, StringComparison.Ordinal) && !earlier.File(name).IsEmpty)
            .ToDictionary(name => name, name => earlier.File(name).ToArray(), StringComparer.Ordinal);
        var manifest = earlier.Manifest with
        {
            Sequence = sequence,
            PreviousSha256 = replaces,
            RollbackOf = earlier.Sha256,
            NotBefore = null,
            Expires = expires ?? earlier.Manifest.Expires,
        };
        return PackageWriter.Write(manifest, files, key);
    }
}
