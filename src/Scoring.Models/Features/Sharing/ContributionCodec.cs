using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Sharing;

/// <summary>Takes one encoded contribution: to a Kafka producer, to a file, to <see cref="SharedAggregates"/>.</summary>
/// <param name="key">Compaction key: what is counted where.</param>
/// <param name="value">Cumulative counters of this source; empty removes the key (its pane has expired).</param>
public delegate void ContributionWriter(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

/// <summary>Bytes of a contribution: what one partition has seen of a (shared entity, pane), or how far it has come.</summary>
/// <remarks>
/// <code>
/// key    version (1) kind (1: 0 watermark, 1 pane) source (4, big endian)
///        of a pane also: entity ordinal (2) shape (4) pane start, ms (8, all big endian) entity key (rest)
/// value  watermark, ms (8), or the counters (8 each), little endian
/// </code>
/// The source stands in the key so that compaction keeps the last value of each. The shape is a hash of what the counters mean: those
/// of another definition are ignored.
/// </remarks>
internal static class ContributionCodec
{
    public const byte Version = 1;
    public const byte Watermark = 0;
    public const byte Pane = 1;
    public const int PrefixBytes = 6;
    public const int PaneKeyBytes = PrefixBytes + 2 + 4 + 8;

    public static ReadOnlySpan<byte> WriteWatermarkKey(Span<byte> destination, int source)
    {
        WritePrefix(destination, Watermark, source);
        return destination[..PrefixBytes];
    }

    public static ReadOnlySpan<byte> WritePaneKey(Span<byte> destination, int source, EntityPlan entity, long paneStartMs, ReadOnlySpan<byte> key)
    {
        WritePrefix(destination, Pane, source);
        BinaryPrimitives.WriteUInt16BigEndian(destination[6..], (ushort)entity.Ordinal);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], entity.Shared!.Shape);
        BinaryPrimitives.WriteInt64BigEndian(destination[12..], paneStartMs);
        key.CopyTo(destination[PaneKeyBytes..]);
        return destination[..(PaneKeyBytes + key.Length)];
    }

    /// <summary>Ordinal of the entity, and its key as a table holds it: pane start, then entity key.</summary>
    public static (int Entity, byte[] Key) ReadPaneKey(ReadOnlySpan<byte> key) => (BinaryPrimitives.ReadUInt16BigEndian(key[6..]), key[12..].ToArray());

    public static ReadOnlySpan<byte> WriteWords(Span<byte> destination, ReadOnlySpan<long> words)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(words).CopyTo(destination);
        }
        else
        {
            for (int i = 0; i < words.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(destination[(i * 8)..], words[i]);
            }
        }

        return destination[..(words.Length * 8)];
    }

    public static void ReadWords(ReadOnlySpan<byte> source, Span<long> words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadInt64LittleEndian(source[(i * 8)..]);
        }
    }

    private static void WritePrefix(Span<byte> destination, byte kind, int source)
    {
        destination[0] = Version;
        destination[1] = kind;
        BinaryPrimitives.WriteInt32BigEndian(destination[2..], source);
    }
}
