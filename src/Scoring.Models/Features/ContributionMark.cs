using System.Buffers.Binary;
using Scoring.Models.Features.Sharing;

namespace Scoring.Models.Features;

/// <summary>How far a partition is, as it stands among the contributions: a watermark, or that it is silent for now.</summary>
/// <remarks>
/// A watermark is written by <see cref="PartitionState.DrainContributions"/>; it also says that the partition is not silent.
/// Silence has a key of its own, kind 2, without a value worth reading: whichever of the two comes later holds.
/// </remarks>
public static class ContributionMark
{
    /// <summary>Bytes of a mark's key.</summary>
    public const int KeyBytes = ContributionCodec.PrefixBytes;

    private const byte Silence = 2;

    /// <summary>Looks whether a record is a mark.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="watermarkMs">The watermark; <see cref="long.MinValue"/> for silence.</param>
    /// <param name="isIdle">Whether it says that the partition is silent.</param>
    public static bool TryRead(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, out long watermarkMs, out bool isIdle)
    {
        watermarkMs = long.MinValue;
        isIdle = false;
        if (key.Length != KeyBytes || key[0] != ContributionCodec.Version)
        {
            return false;
        }

        isIdle = key[1] == Silence;
        if (key[1] == ContributionCodec.Watermark && value.Length == sizeof(long))
        {
            watermarkMs = BinaryPrimitives.ReadInt64LittleEndian(value);
            return true;
        }

        return isIdle;
    }

    /// <summary>Writes the key that says a partition is silent; its value is one byte, 1.</summary>
    /// <param name="destination">At least <see cref="KeyBytes"/> bytes.</param>
    /// <param name="partition">The partition.</param>
    public static void WriteSilence(Span<byte> destination, int partition)
    {
        destination[0] = ContributionCodec.Version;
        destination[1] = Silence;
        BinaryPrimitives.WriteInt32BigEndian(destination[2..], partition);
    }
}
