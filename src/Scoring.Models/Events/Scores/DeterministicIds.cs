using System.Security.Cryptography;
using System.Text;

namespace Scoring.Models.Events.Scores;

/// <summary>The identifiers of what we publish: the same input, model and definition give the same identifier, so that what is published again replaces what was.</summary>
/// <remarks>
/// UUID version 5 (RFC 9562, SHA-1 of namespace and name). Namespace: <see cref="Namespace"/>, itself the version 5 UUID of the DNS name <c>fraudscoring.dev</c>.
/// Name of a score: <c>score LF service LF package-sha256 LF transaction_id</c>; of an alert:
/// <c>alert LF service LF package-sha256 LF definition-sha256 LF transaction_id</c>. Without a model the package is <c>-</c>.
/// None of the parts before the transaction can hold a line feed, so different parts give different names.
/// </remarks>
public sealed class DeterministicIds
{
    /// <summary>Namespace of every identifier of this project.</summary>
    public static readonly Guid Namespace = Version5(new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "fraudscoring.dev"u8);

    private const int TransactionIdBytesMax = 256;

    private readonly PrefixedSha1 sha1;

    private DeterministicIds(string prefix)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(prefix);
        var name = new byte[16 + bytes.Length];
        Namespace.TryWriteBytes(name, bigEndian: true, out _);
        bytes.CopyTo(name, 16);
        sha1 = new PrefixedSha1(name, TransactionIdBytesMax);
    }

    /// <summary>Identifiers of scores (<c>ce_id</c>).</summary>
    public static DeterministicIds OfScores(string service, string? packageSha256) => new($"score\n{service}\n{packageSha256 ?? "-"}\n");

    /// <summary>Identifiers of alerts (<c>ce_id</c> and <c>alert_id</c>).</summary>
    public static DeterministicIds OfAlerts(string service, string? packageSha256, string definitionSha256) =>
        new($"alert\n{service}\n{packageSha256 ?? "-"}\n{definitionSha256}\n");

    /// <summary>The identifier for a transaction. Allocates nothing; not for two threads at once.</summary>
    /// <param name="transactionId">1 to 256 bytes.</param>
    public Guid Of(ReadOnlySpan<byte> transactionId)
    {
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        sha1.Hash(transactionId, digest);
        return Version5Of(digest);
    }

    /// <summary>The version 5 UUID of a name in a namespace.</summary>
    public static Guid Version5(Guid space, ReadOnlySpan<byte> name)
    {
        var bytes = new byte[16 + name.Length];
        space.TryWriteBytes(bytes, bigEndian: true, out _);
        name.CopyTo(bytes.AsSpan(16));
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 9562 prescribes SHA-1; the identifier keeps no secret
        SHA1.HashData(bytes, digest);
#pragma warning restore CA5350
        return Version5Of(digest);
    }

    private static Guid Version5Of(Span<byte> digest)
    {
        digest[6] = (byte)((digest[6] & 0x0F) | 0x50);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }
}
