using System.Buffers.Binary;
using System.Numerics;

namespace Scoring.Models.Features.State;

/// <summary>Bytes of a partition's state in its changelog.</summary>
/// <remarks>
/// <code>
/// key    version (1) kind (1: 1 record, 2 mark, 3 position, 4 excluded input) shape (4, big endian)
///        of a record also: table (2, big endian), the record's key (rest); of excluded input: its offset (8, big endian)
/// value  of a record: number of its last use (8), then its words
///        of a mark of no shape: the topics that the state is of, one per line; builds that do not know it take it for another definition's
///        words: (count of words, count of zeros behind them) as variable-length integers, the words (8 each); again and again
/// </code>
/// All little endian where nothing else is said. The shape is a hash of what the words mean: records of another definition have other
/// keys, so that both can stand in one topic. An absent value takes the key away.
/// </remarks>
internal static class StateCodec
{
    public const byte Version = 1;
    public const byte Record = 1;
    public const byte Mark = 2;
    public const byte Position = 3;
    public const byte Excluded = 4;
    public const int PrefixBytes = 6;
    public const int RecordKeyBytes = PrefixBytes + 2;
    public const int ExcludedKeyBytes = PrefixBytes + sizeof(long);

    /// <summary>Most bytes of a record's value.</summary>
    public static int ValueBytesMax(int words) => sizeof(long) + (words * 11) + 10;

    public static ReadOnlySpan<byte> WriteKey(Span<byte> destination, byte kind, uint shape)
    {
        destination[0] = Version;
        destination[1] = kind;
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..], shape);
        return destination[..PrefixBytes];
    }

    public static ReadOnlySpan<byte> WriteRecordKey(Span<byte> destination, uint shape, int table, ReadOnlySpan<byte> key)
    {
        WriteKey(destination, Record, shape);
        BinaryPrimitives.WriteUInt16BigEndian(destination[PrefixBytes..], (ushort)table);
        key.CopyTo(destination[RecordKeyBytes..]);
        return destination[..(RecordKeyBytes + key.Length)];
    }

    public static ReadOnlySpan<byte> WriteExcludedKey(Span<byte> destination, long offset)
    {
        WriteKey(destination, Excluded, 0); // One for all shapes: a changed definition does not make the input good.
        BinaryPrimitives.WriteInt64BigEndian(destination[PrefixBytes..], offset);
        return destination[..ExcludedKeyBytes];
    }

    /// <summary>Takes a key apart.</summary>
    /// <returns>False when it is none of this version.</returns>
    public static bool TryReadKey(ReadOnlySpan<byte> key, out byte kind, out uint shape)
    {
        (kind, shape) = (0, 0);
        if (key.Length < PrefixBytes || key[0] != Version || key[1] is < Record or > Excluded || key.Length < (key[1] == Record ? RecordKeyBytes : key[1] == Excluded ? ExcludedKeyBytes : PrefixBytes))
        {
            return false;
        }

        kind = key[1];
        shape = BinaryPrimitives.ReadUInt32BigEndian(key[2..]);
        return true;
    }

    public static ReadOnlySpan<byte> WriteValue(Span<byte> destination, long stamp, ReadOnlySpan<long> words)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, stamp);
        int at = sizeof(long);
        while (!words.IsEmpty)
        {
            int literals = words.IndexOf(0L);
            literals = literals < 0 ? words.Length : literals;
            int zeros = words[literals..].IndexOfAnyExcept(0L);
            zeros = zeros < 0 ? words.Length - literals : zeros;
            at += WriteVariable(destination[at..], (uint)literals);
            at += WriteVariable(destination[at..], (uint)zeros);
            foreach (long word in words[..literals])
            {
                BinaryPrimitives.WriteInt64LittleEndian(destination[at..], word);
                at += sizeof(long);
            }

            words = words[(literals + zeros)..];
        }

        return destination[..at];
    }

    /// <summary>Reads a value.</summary>
    /// <param name="value">Its bytes.</param>
    /// <param name="stamp">Number of the record's last use.</param>
    /// <param name="words">Receives exactly as many words as a record has.</param>
    /// <returns>False when the bytes are no value of so many words.</returns>
    public static bool TryReadValue(ReadOnlySpan<byte> value, out long stamp, Span<long> words)
    {
        stamp = 0;
        if (value.Length < sizeof(long))
        {
            return false;
        }

        stamp = BinaryPrimitives.ReadInt64LittleEndian(value);
        value = value[sizeof(long)..];
        while (!words.IsEmpty)
        {
            if (!TryReadVariable(ref value, out uint literals) || !TryReadVariable(ref value, out uint zeros)
                || (literals | zeros) == 0 || literals > words.Length || zeros > words.Length - literals || value.Length < literals * sizeof(long))
            {
                return false;
            }

            for (int i = 0; i < literals; i++)
            {
                words[i] = BinaryPrimitives.ReadInt64LittleEndian(value[(i * sizeof(long))..]);
            }

            value = value[((int)literals * sizeof(long))..];
            words.Slice((int)literals, (int)zeros).Clear();
            words = words[(int)(literals + zeros)..];
        }

        return value.IsEmpty;
    }

    private static int WriteVariable(Span<byte> destination, uint number)
    {
        int length = 0;
        for (; number >= 0x80; number >>= 7)
        {
            destination[length++] = (byte)(number | 0x80);
        }

        destination[length++] = (byte)number;
        return length;
    }

    private static bool TryReadVariable(ref ReadOnlySpan<byte> source, out uint number)
    {
        number = 0;
        for (int shift = 0; shift < 32 && !source.IsEmpty; shift += 7)
        {
            byte next = source[0];
            source = source[1..];
            number |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return BitOperations.LeadingZeroCount((uint)(next & 0x7F)) >= 32 - Math.Min(7, 32 - shift);
            }
        }

        return false;
    }
}
