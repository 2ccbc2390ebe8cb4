using System.Buffers.Text;
using System.Text;

namespace Scoring.Models.Events.Json;

/// <summary>Resolves the escapes of JSON strings.</summary>
internal static class JsonEscapes
{
    /// <summary>Writes the string's characters as UTF-8.</summary>
    /// <param name="raw">Between the quotes, with well-formed escapes.</param>
    /// <param name="text">At least as long as <paramref name="raw"/>; no escape is shorter than what it means.</param>
    /// <param name="length">Bytes written.</param>
    /// <returns>False for half of a surrogate pair, which has no UTF-8 form.</returns>
    public static bool TryResolve(ReadOnlySpan<byte> raw, Span<byte> text, out int length)
    {
        length = 0;
        while (true)
        {
            int plain = raw.IndexOf((byte)'\\');
            if (plain < 0)
            {
                raw.CopyTo(text[length..]);
                length += raw.Length;
                return true;
            }

            raw[..plain].CopyTo(text[length..]);
            length += plain;
            raw = raw[plain..];
            if (raw[1] != 'u')
            {
                text[length++] = raw[1] switch
                {
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    var same => same,
                };
                raw = raw[2..];
                continue;
            }

            char first = Unit(raw);
            raw = raw[6..];
            Rune rune;
            if (char.IsHighSurrogate(first))
            {
                if (raw.Length < 6 || raw[0] != '\\' || raw[1] != 'u' || !Rune.TryCreate(first, Unit(raw), out rune))
                {
                    return false;
                }

                raw = raw[6..];
            }
            else if (!Rune.TryCreate(first, out rune))
            {
                return false;
            }

            length += rune.EncodeToUtf8(text[length..]);
        }
    }

    private static char Unit(ReadOnlySpan<byte> escape) =>
        Utf8Parser.TryParse(escape.Slice(2, 4), out int unit, out _, 'x') ? (char)unit : '\uD800'; // half a pair: refused
}
