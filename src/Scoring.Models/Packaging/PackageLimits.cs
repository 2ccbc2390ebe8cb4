namespace Scoring.Models.Packaging;

/// <summary>How large a package may be.</summary>
public sealed record PackageLimits
{
    /// <summary>Most bytes of the file or message. Default 128 MiB.</summary>
    public int FileBytesMax { get; init; } = 128 << 20;

    /// <summary>Most entries of the zip. Default 32.</summary>
    public int EntriesMax { get; init; } = 32;

    /// <summary>Most bytes of all entries together, unpacked. Default 256 MiB.</summary>
    public long ContentBytesMax { get; init; } = 256L << 20;

    /// <summary>Most bytes that one packed byte may become. Default 100.</summary>
    public int RatioMax { get; init; } = 100;
}
