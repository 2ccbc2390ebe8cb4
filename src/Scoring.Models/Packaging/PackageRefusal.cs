namespace Scoring.Models.Packaging;

/// <summary>Why a package is not used: a value, never an exception.</summary>
/// <param name="Code">The check that failed; the label of metrics and alerts, in snake_case.</param>
/// <param name="Sentence">What is wrong, for people.</param>
public sealed record PackageRefusal(PackageRefusalCode Code, string Sentence);

/// <summary>The check that a package failed, in the order in which they are made. A code never changes its meaning.</summary>
public enum PackageRefusalCode
{
    /// <summary>The file is larger than the limit.</summary>
    TooLarge,

    /// <summary>The file is no package, or damaged before its signature.</summary>
    NotAPackage,

    /// <summary>A container or manifest of a format that this version does not read.</summary>
    UnknownFormat,

    /// <summary>No accepted key made the signature over these bytes.</summary>
    SignatureInvalid,

    /// <summary>The signed content is no readable zip.</summary>
    ZipMalformed,

    /// <summary>More entries than allowed.</summary>
    TooManyEntries,

    /// <summary>An entry with a name that is not on the list, a path, a link or a folder.</summary>
    UnknownEntry,

    /// <summary>Two entries of one name.</summary>
    DuplicateEntry,

    /// <summary>The entries hold more bytes than allowed.</summary>
    ContentTooLarge,

    /// <summary>An entry grows too much when it is unpacked.</summary>
    RatioTooHigh,

    /// <summary>A file that the manifest names, or the manifest itself, is missing.</summary>
    FileMissing,

    /// <summary>The manifest cannot be read, or says what cannot be.</summary>
    ManifestInvalid,

    /// <summary>A file is not the one that the manifest names.</summary>
    DigestMismatch,

    /// <summary>The manifest names another key than the one that signed.</summary>
    KeyMismatch,

    /// <summary>The package is for another service.</summary>
    OtherService,

    /// <summary>The package is older than one that was taken already.</summary>
    SequenceTooOld,

    /// <summary>The package is not to be used yet.</summary>
    NotYetValid,

    /// <summary>The package is not to be used any more.</summary>
    Expired,

    /// <summary>A model file breaks a rule of structure.</summary>
    ModelRefused,

    /// <summary>The model was trained on another feature plan than this service computes.</summary>
    PlanMismatch,

    /// <summary>The smoke vectors cannot be read.</summary>
    SmokeInvalid,

    /// <summary>The model does not give the scores that it gave when it was packed.</summary>
    SmokeMismatch,
}
