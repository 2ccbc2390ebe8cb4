using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Scoring.Models.Events.Scores;

/// <summary>SHA-1 (RFC 3174) of names that all begin with the same bytes: what those do to the state is computed once. Allocates nothing; not for two threads at once.</summary>
/// <remarks>
/// Every score has an identifier that RFC 9562 makes of SHA-1. The platform's hash takes the whole name each time, and makes and frees a context for it.
/// It is the oracle of the tests, and what is rare goes on using it (<see cref="DeterministicIds.Version5"/>).
/// </remarks>
internal sealed class PrefixedSha1
{
    private const int BlockBytes = 64;
    private const int LengthBytes = 8;

    private readonly byte[] tail;
    private readonly int prefixInTail;
    private readonly int prefixLength;
    private readonly int restMax;
    private readonly State afterPrefix = State.Initial;

    /// <summary>Hashes the prefix as far as it fills whole blocks.</summary>
    /// <param name="prefix">What every name begins with.</param>
    /// <param name="restMax">Most bytes that follow it.</param>
    public PrefixedSha1(ReadOnlySpan<byte> prefix, int restMax)
    {
        this.restMax = restMax;
        prefixLength = prefix.Length;
        for (; prefix.Length >= BlockBytes; prefix = prefix[BlockBytes..])
        {
            afterPrefix.Add(prefix);
        }

        prefixInTail = prefix.Length;
        tail = new byte[Padded(prefixInTail + restMax)];
        prefix.CopyTo(tail);
    }

    /// <summary>The hash of the prefix and what follows it.</summary>
    /// <param name="rest">At most as many bytes as were announced.</param>
    /// <param name="digest">20 bytes.</param>
    public void Hash(ReadOnlySpan<byte> rest, Span<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rest.Length, restMax, nameof(rest));
        rest.CopyTo(tail.AsSpan(prefixInTail));
        int length = prefixInTail + rest.Length;
        var padded = tail.AsSpan(0, Padded(length));
        padded[length] = 0x80;
        padded[(length + 1)..^LengthBytes].Clear();
        BinaryPrimitives.WriteInt64BigEndian(padded[^LengthBytes..], (prefixLength + rest.Length) * 8L);
        var state = afterPrefix;
        for (ReadOnlySpan<byte> left = padded; !left.IsEmpty; left = left[BlockBytes..])
        {
            state.Add(left);
        }

        state.Write(digest);
    }

    private static int Padded(int length) => (length + 1 + LengthBytes + BlockBytes - 1) / BlockBytes * BlockBytes;

    [StructLayout(LayoutKind.Auto)]
    private struct State
    {
        public static readonly State Initial = new() { a = 0x67452301, b = 0xEFCDAB89, c = 0x98BADCFE, d = 0x10325476, e = 0xC3D2E1F0 };

        private uint a;
        private uint b;
        private uint c;
        private uint d;
        private uint e;

        public void Add(ReadOnlySpan<byte> block)
        {
            Span<uint> w = stackalloc uint[80];
            for (int t = 0; t < 16; t++)
            {
                w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * t)..]);
            }

            for (int t = 16; t < w.Length; t++)
            {
                w[t] = BitOperations.RotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
            }

            var round = this;
            foreach (uint word in w[..20])
            {
                round.Turn((round.b & round.c) | (~round.b & round.d), 0x5A827999 + word);
            }

            foreach (uint word in w[20..40])
            {
                round.Turn(round.b ^ round.c ^ round.d, 0x6ED9EBA1 + word);
            }

            foreach (uint word in w[40..60])
            {
                round.Turn((round.b & round.c) | (round.b & round.d) | (round.c & round.d), 0x8F1BBCDC + word);
            }

            foreach (uint word in w[60..])
            {
                round.Turn(round.b ^ round.c ^ round.d, 0xCA62C1D6 + word);
            }

            a += round.a;
            b += round.b;
            c += round.c;
            d += round.d;
            e += round.e;
        }

        public readonly void Write(Span<byte> digest)
        {
            BinaryPrimitives.WriteUInt32BigEndian(digest, a);
            BinaryPrimitives.WriteUInt32BigEndian(digest[4..], b);
            BinaryPrimitives.WriteUInt32BigEndian(digest[8..], c);
            BinaryPrimitives.WriteUInt32BigEndian(digest[12..], d);
            BinaryPrimitives.WriteUInt32BigEndian(digest[16..], e);
        }

        private void Turn(uint mixed, uint added) =>
            (a, b, c, d, e) = (BitOperations.RotateLeft(a, 5) + mixed + e + added, a, BitOperations.RotateLeft(b, 30), c, d);
    }
}
