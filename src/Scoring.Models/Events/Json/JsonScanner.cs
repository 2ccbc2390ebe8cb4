using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scoring.Models.Events.Json;

/// <summary>Reads RFC 8259 JSON token by token from bytes that are known to be UTF-8. Never throws on input: a method that meets a wrong byte returns false and <see cref="Position"/> says where.</summary>
internal ref struct JsonScanner(ReadOnlySpan<byte> json, int position)
{
    private readonly ReadOnlySpan<byte> json = json;

    /// <summary>The next byte.</summary>
    public int Position = position;

    /// <summary>The next byte behind white space, or 0 at the end (a NUL is no JSON either).</summary>
    public byte Peek()
    {
        while (Position < json.Length)
        {
            byte b = json[Position];
            if (b > ' ' || b is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                return b;
            }

            Position++;
        }

        return 0;
    }

    /// <summary>Takes the string whose quote is next.</summary>
    /// <param name="raw">The bytes between the quotes.</param>
    /// <param name="isEscaped">Whether they hold a backslash.</param>
    public bool TryString(out ReadOnlySpan<byte> raw, out bool isEscaped)
    {
        int start = Position + 1;
        int at = start;
        isEscaped = false;
        while (true)
        {
            at = NextSpecial(at);
            if (at >= json.Length)
            {
                break;
            }

            byte b = json[at];
            if (b == '"')
            {
                raw = json[start..at];
                Position = at + 1;
                return true;
            }

            if (b != '\\' || !TryEscape(ref at))
            {
                break;
            }

            isEscaped = true;
        }

        Position = Math.Min(at, json.Length);
        raw = default;
        return false;
    }

    /// <summary>Takes the number that begins here.</summary>
    /// <param name="raw">Its bytes.</param>
    /// <param name="isInteger">Whether it has neither point nor exponent.</param>
    public bool TryNumber(out ReadOnlySpan<byte> raw, out bool isInteger)
    {
        int start = Position;
        int at = start;
        isInteger = true;
        raw = default;
        if (At(at) == '-')
        {
            at++;
        }

        if (At(at) == '0')
        {
            at++;
        }
        else if (!TryDigits(ref at))
        {
            return Fail(at);
        }

        if (At(at) == '.')
        {
            at++;
            isInteger = false;
            if (!TryDigits(ref at))
            {
                return Fail(at);
            }
        }

        if ((At(at) | 0x20) == 'e')
        {
            at++;
            isInteger = false;
            if (At(at) is (byte)'+' or (byte)'-')
            {
                at++;
            }

            if (!TryDigits(ref at))
            {
                return Fail(at);
            }
        }

        Position = at;
        raw = json[start..at];
        return true;
    }

    /// <summary>Takes the word <paramref name="word"/>.</summary>
    public bool TryWord(ReadOnlySpan<byte> word)
    {
        if (!json[Position..].StartsWith(word))
        {
            return false;
        }

        Position += word.Length;
        return true;
    }

    // The next quote, backslash or control byte at or behind "at".
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int NextSpecial(int at)
    {
        while (at + Vector128<byte>.Count <= json.Length)
        {
            // 16 bytes at a time: names and values of events are mostly shorter than that.
            var bytes = Vector128.Create(json.Slice(at, Vector128<byte>.Count));
            var special = Vector128.Equals(bytes, Vector128.Create((byte)'"'))
                | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(bytes, Vector128.Create((byte)' '));
            uint mask = special.ExtractMostSignificantBits();
            if (mask != 0)
            {
                return at + BitOperations.TrailingZeroCount(mask);
            }

            at += Vector128<byte>.Count;
        }

        while (at < json.Length && json[at] is >= (byte)' ' and not ((byte)'"' or (byte)'\\'))
        {
            at++;
        }

        return at;
    }

    private readonly bool TryEscape(ref int at)
    {
        byte kind = At(at + 1);
        if (kind == 'u')
        {
            for (int i = 2; i < 6; i++)
            {
                if (!char.IsAsciiHexDigit((char)At(at + i)))
                {
                    return false;
                }
            }

            at += 6;
            return true;
        }

        at += 2;
        return kind is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t';
    }

    private readonly bool TryDigits(ref int at)
    {
        int start = at;
        while ((uint)(At(at) - '0') <= 9)
        {
            at++;
        }

        return at > start;
    }

    private readonly byte At(int at) => (uint)at < (uint)json.Length ? json[at] : (byte)0;

    private bool Fail(int at)
    {
        Position = Math.Min(at, json.Length);
        return false;
    }
}
