using System.IO.Compression;

namespace Scoring.Models.Packaging;

/// <summary>The zip inside a package: written the same for the same content, read within limits and in memory only.</summary>
internal static class PackageZip
{
    private const int UnixTypeMask = 0xF000;
    private const int UnixRegularFile = 0x8000;

    // The earliest time a zip can hold; the true one would change the digest.
    private static readonly DateTimeOffset Timestamp = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes entries in the order of <see cref="PackageFiles.All"/>, stored: another release of the deflate library would give other bytes for the same content.</summary>
    public static byte[] Write(IReadOnlyDictionary<string, byte[]> files)
    {
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string name in PackageFiles.All)
            {
                if (files.TryGetValue(name, out var content))
                {
                    var entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
                    entry.LastWriteTime = Timestamp;
                    using var stream = entry.Open();
                    stream.Write(content);
                }
            }
        }

        return buffer.ToArray();
    }

    /// <summary>Reads every entry, or says which limit or rule the zip breaks.</summary>
    public static PackageRefusal? TryRead(ReadOnlyMemory<byte> zip, PackageLimits limits, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        try
        {
            using var stream = new MemoryStream(zip.ToArray(), writable: false);
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            if (archive.Entries.Count > limits.EntriesMax)
            {
                return new(PackageRefusalCode.TooManyEntries, $"{archive.Entries.Count} entries, at most {limits.EntriesMax} are allowed");
            }

            long contentBytes = 0;
            foreach (var entry in archive.Entries)
            {
                contentBytes += entry.Length;
                if (Check(entry, contentBytes, limits, files) is { } refusal)
                {
                    return refusal;
                }

                var content = new byte[entry.Length];
                using var unpacked = entry.Open();
                unpacked.ReadExactly(content);
                files.Add(entry.FullName, content);
            }

            return null;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException or IOException or ArgumentException)
        {
            return new(PackageRefusalCode.ZipMalformed, $"the signed content is no readable zip: {e.Message}");
        }
    }

    // Asked before anything is unpacked, from the sizes that the zip states; an entry never gives more bytes than it states.
    private static PackageRefusal? Check(ZipArchiveEntry entry, long contentBytes, PackageLimits limits, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        if (!PackageFiles.All.Contains(entry.FullName, StringComparer.Ordinal))
        {
            return new(PackageRefusalCode.UnknownEntry, $"entry \"{Printable(entry.FullName)}\"; a package holds only {string.Join(", ", PackageFiles.All)}");
        }

        int unixType = (entry.ExternalAttributes >> 16) & UnixTypeMask;
        if (unixType is not 0 and not UnixRegularFile)
        {
            return new(PackageRefusalCode.UnknownEntry, $"entry {entry.FullName} is a link or a folder, not a file");
        }

        if (files.ContainsKey(entry.FullName))
        {
            return new(PackageRefusalCode.DuplicateEntry, $"two entries are named {entry.FullName}");
        }

        if (contentBytes > limits.ContentBytesMax)
        {
            return new(PackageRefusalCode.ContentTooLarge, $"the entries hold more than {limits.ContentBytesMax} bytes");
        }

        return entry.Length > (long)limits.RatioMax * Math.Max(entry.CompressedLength, 1)
            ? new(PackageRefusalCode.RatioTooHigh, $"{entry.FullName} grows from {entry.CompressedLength} to {entry.Length} bytes, more than {limits.RatioMax} times")
            : null;
    }

    private static string Printable(string name) =>
        string.Concat(name.Take(64).Select(c => char.IsControl(c) ? '?' : c));
}
