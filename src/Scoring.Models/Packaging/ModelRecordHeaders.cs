using System.Globalization;
using System.Text;

namespace Scoring.Models.Packaging;

/// <summary>Headers of a record of the models topic: what its package says, for people and tools that do not open it.</summary>
/// <remarks>Never trusted: anybody who may write the topic may write a header. Whoever decides reads the signed manifest.</remarks>
public sealed record ModelRecordHeaders
{
    /// <summary>Name of the header with the model's version.</summary>
    public const string VersionHeader = "fs-model-version";

    /// <summary>Name of the header with the sequence.</summary>
    public const string SequenceHeader = "fs-model-sequence";

    /// <summary>Name of the header with the package's digest.</summary>
    public const string Sha256Header = "fs-model-sha256";

    /// <summary>Name of the header with the action.</summary>
    public const string ActionHeader = "fs-model-action";

    /// <summary>Name of the header with the signer's key.</summary>
    public const string SignerHeader = "fs-model-signer";

    /// <summary>A new model.</summary>
    public const string Publish = "publish";

    /// <summary>An earlier model, signed again.</summary>
    public const string Rollback = "rollback";

    private const int TextLengthMax = 64;

    /// <summary>Every header in the order written, with what it holds.</summary>
    public static IReadOnlyList<(string Name, string Meaning)> All { get; } =
    [
        (VersionHeader, "Version of the model, as people say it."),
        (SequenceHeader, "Place in the service's sequence of packages, a decimal number."),
        (Sha256Header, "SHA-256 of the signed content, lower-case hex: the digest that scores name."),
        (ActionHeader, "publish: a new model. rollback: an earlier model, signed again with a higher sequence."),
        (SignerHeader, "Identifier of the signer's key: the first 8 bytes of its SHA-256, lower-case hex."),
    ];

    /// <summary>The model's version; empty when absent.</summary>
    public string Version { get; init; } = "";

    /// <summary>The sequence; empty when absent.</summary>
    public string Sequence { get; init; } = "";

    /// <summary>The package's digest; empty when absent.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary><see cref="Publish"/> or <see cref="Rollback"/>; empty when absent.</summary>
    public string Action { get; init; } = "";

    /// <summary>The signer's key; empty when absent.</summary>
    public string Signer { get; init; } = "";

    /// <summary>The headers of a package.</summary>
    public static ModelRecordHeaders Of(ModelPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        return new()
        {
            Version = package.Manifest.Version,
            Sequence = package.Manifest.Sequence.ToString(CultureInfo.InvariantCulture),
            Sha256 = package.Sha256,
            Action = package.Manifest.RollbackOf is null ? Publish : Rollback,
            Signer = package.Manifest.KeyId,
        };
    }

    /// <summary>Takes what a record carries. What cannot be printed becomes <c>?</c>, what is too long is cut off: it goes into log lines.</summary>
    public static ModelRecordHeaders Read(IEnumerable<KeyValuePair<string, byte[]?>> headers)
    {
        var read = new ModelRecordHeaders();
        foreach (var (name, value) in headers)
        {
            string text = Printable(value ?? []);
            read = name switch
            {
                VersionHeader => read with { Version = text },
                SequenceHeader => read with { Sequence = text },
                Sha256Header => read with { Sha256 = text },
                ActionHeader => read with { Action = text },
                SignerHeader => read with { Signer = text },
                _ => read,
            };
        }

        return read;
    }

    /// <summary>Names and UTF-8 values, in the order of <see cref="All"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Write() =>
    [
        new(VersionHeader, Encoding.UTF8.GetBytes(Version)),
        new(SequenceHeader, Encoding.UTF8.GetBytes(Sequence)),
        new(Sha256Header, Encoding.UTF8.GetBytes(Sha256)),
        new(ActionHeader, Encoding.UTF8.GetBytes(Action)),
        new(SignerHeader, Encoding.UTF8.GetBytes(Signer)),
    ];

    private static string Printable(byte[] value) =>
        string.Concat(Encoding.UTF8.GetString(value.AsSpan(0, Math.Min(value.Length, TextLengthMax))).Select(c => char.IsControl(c) ? '?' : c));
}
