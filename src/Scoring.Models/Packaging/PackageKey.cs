using System.Security.Cryptography;

namespace Scoring.Models.Packaging;

/// <summary>An ECDSA P-256 key that signs packages, or only checks signatures.</summary>
public sealed class PackageKey : IDisposable
{
    private const string Curve = "1.2.840.10045.3.1.7";

    private readonly ECDsa ecdsa;

    private PackageKey(ECDsa ecdsa, bool canSign)
    {
        this.ecdsa = ecdsa;
        CanSign = canSign;
        Id = Convert.ToHexStringLower(SHA256.HashData(ecdsa.ExportSubjectPublicKeyInfo()).AsSpan(0, 8));
    }

    /// <summary>First 8 bytes of the SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.</summary>
    public string Id { get; }

    /// <summary>Whether the private half is here.</summary>
    public bool CanSign { get; }

    /// <summary>Makes a new key pair from the operating system's randomness.</summary>
    public static PackageKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), canSign: true);

    /// <summary>Reads one private key (<c>PRIVATE KEY</c> or <c>EC PRIVATE KEY</c>).</summary>
    /// <exception cref="CryptographicException">There is no such key in the text, or it is of another curve.</exception>
    public static PackageKey ReadPrivate(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            RequireCurve(key);
            key.ExportECPrivateKey(); // throws when only the public half is here
            return new PackageKey(key, canSign: true);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new CryptographicException("not a PEM file with one unencrypted ECDSA P-256 private key; make one with: models keygen", e);
        }
    }

    /// <summary>Reads every public key of a PEM text; a private one counts as its public half.</summary>
    /// <exception cref="CryptographicException">There is none, or one is of another kind.</exception>
    public static IReadOnlyList<PackageKey> ReadPublic(string pem)
    {
        var keys = new List<PackageKey>();
        try
        {
            for (var rest = pem.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
            {
                var key = ECDsa.Create();
                key.ImportFromPem(rest[fields.Location]);
                RequireCurve(key);
                keys.Add(new PackageKey(key, canSign: false));
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new CryptographicException($"key {keys.Count + 1} of the PEM file is no ECDSA P-256 key", e);
        }

        return keys.Count > 0 ? keys : throw new CryptographicException("the file holds no PEM key");
    }

    /// <summary>The private key, PKCS#8 PEM.</summary>
    public string WritePrivate() => ecdsa.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>The public key, PEM.</summary>
    public string WritePublic() => ecdsa.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <summary>ECDSA over SHA-256, as DER (what OpenSSL reads). Two signatures of the same bytes differ.</summary>
    /// <exception cref="InvalidOperationException">The private half is not here.</exception>
    public byte[] Sign(ReadOnlySpan<byte> content) => CanSign
        ? ecdsa.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
        : throw new InvalidOperationException("this is a public key: it cannot sign");

    /// <summary>Whether the signature is this key's over the content. False for malformed signatures too.</summary>
    public bool Verify(ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature) =>
        ecdsa.VerifyData(content, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <inheritdoc/>
    public void Dispose() => ecdsa.Dispose();

    private static void RequireCurve(ECDsa key)
    {
        if (!string.Equals(key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value, Curve, StringComparison.Ordinal))
        {
            throw new CryptographicException("the key is of another curve than P-256");
        }
    }
}
