using System.Buffers.Binary;

namespace Scoring.Models.Packaging;

/// <summary>The one file or message that a package is: a header, a signature and the zip that it signs.</summary>
/// <remarks>
/// <code>
/// offset  bytes
/// 0       8      "FSMODEL" and the format, 1
/// 8       2      length n of the signature, big-endian, 1 to 128
/// 10      n      ECDSA P-256 signature over the SHA-256 of everything behind it, DER
/// 10 + n         zip
/// </code>
/// The signature stands before what it signs, so nothing is opened before it is checked, and one message carries both.
/// OpenSSL checks it as well: cut the file, then <c>openssl dgst -sha256 -verify KEY.pub.pem -signature SIG ZIP</c>.
/// </remarks>
internal static class PackageContainer
{
    public const int SignatureBytesMax = 128;

    private const int HeaderBytes = 10;

    private static ReadOnlySpan<byte> Magic => "FSMODEL\x01"u8;

    public static byte[] Write(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> zip)
    {
        var file = new byte[HeaderBytes + signature.Length + zip.Length];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(Magic.Length), (ushort)signature.Length);
        signature.CopyTo(file.AsSpan(HeaderBytes));
        zip.CopyTo(file.AsSpan(HeaderBytes + signature.Length));
        return file;
    }

    /// <summary>Splits a file without copying it.</summary>
    /// <returns>None, or why it is no such file.</returns>
    public static PackageRefusal? TrySplit(ReadOnlyMemory<byte> file, out ReadOnlyMemory<byte> signature, out ReadOnlyMemory<byte> zip)
    {
        signature = default;
        zip = default;
        var span = file.Span;
        if (span.Length < HeaderBytes || !span.StartsWith(Magic[..^1]))
        {
            return new(PackageRefusalCode.NotAPackage, "the first bytes are not FSMODEL: this is no model package, or it was cut short");
        }

        if (span[Magic.Length - 1] != Magic[^1])
        {
            return new(PackageRefusalCode.UnknownFormat, $"package format {span[Magic.Length - 1]}; this version reads format {Magic[^1]}");
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(span[Magic.Length..]);
        if (length is 0 or > SignatureBytesMax || HeaderBytes + length >= span.Length)
        {
            return new(PackageRefusalCode.NotAPackage, $"a signature of {length} bytes in a file of {span.Length}: the file is damaged");
        }

        signature = file.Slice(HeaderBytes, length);
        zip = file[(HeaderBytes + length)..];
        return null;
    }
}
