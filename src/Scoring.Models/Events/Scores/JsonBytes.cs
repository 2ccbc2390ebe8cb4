using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Scoring.Models.Events.Scores;

/// <summary>UTF-8 JSON in one growing buffer that is reused; nothing is allocated once it has its size.</summary>
internal sealed class JsonBytes
{
    // What a JSON string cannot hold as it is, and every byte of a longer sequence, which is checked rune by rune.
    private static readonly SearchValues<byte> NotPlain = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\', .. Enumerable.Range(0x80, 0x80).Select(code => (byte)code)]);

    private byte[] bytes = new byte[2048];
    private int length;

    /// <summary>What has been written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, length);

    public void Clear() => length = 0;

    /// <summary>Appends JSON as it is.</summary>
    public void Raw(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Reserve(json.Length));
        length += json.Length;
    }

    /// <summary>Appends once more what was written before.</summary>
    /// <param name="start">Where it begins in <see cref="Written"/>.</param>
    /// <param name="count">Bytes.</param>
    public void Again(int start, int count)
    {
        var room = Reserve(count);
        bytes.AsSpan(start, count).CopyTo(room);
        length += count;
    }

    /// <summary>Appends a value as a JSON string. Bytes that are not UTF-8, which no decoder lets through, become U+FFFD.</summary>
    public void Quoted(ReadOnlySpan<byte> utf8)
    {
        Raw("\""u8);
        Escaped(utf8);
        Raw("\""u8);
    }

    /// <summary>The same without the quotes.</summary>
    public void Escaped(ReadOnlySpan<byte> utf8)
    {
        while (utf8.IndexOfAny(NotPlain) is >= 0 and int plain)
        {
            Raw(utf8[..plain]);
            utf8 = utf8[plain..];
            Rune.DecodeFromUtf8(utf8, out var rune, out int consumed);
            Append(rune);
            utf8 = utf8[consumed..];
        }

        Raw(utf8);
    }

    /// <summary>Appends a double in the fewest digits that read back as itself; null when it is no finite number.</summary>
    public void Number(double value)
    {
        if (!double.IsFinite(value))
        {
            Raw("null"u8);
            return;
        }

        bool fits = value.TryFormat(Reserve(32), out int written, default, CultureInfo.InvariantCulture);
        Debug.Assert(fits);
        length += written;
    }

    /// <summary>Appends a float in the fewest digits that read back as itself; null when it is no finite number.</summary>
    public void Number(float value)
    {
        if (!float.IsFinite(value))
        {
            Raw("null"u8);
            return;
        }

        bool fits = value.TryFormat(Reserve(24), out int written, default, CultureInfo.InvariantCulture);
        Debug.Assert(fits);
        length += written;
    }

    /// <summary>Appends an integer.</summary>
    public void Integer(long value)
    {
        bool fits = value.TryFormat(Reserve(20), out int written, default, CultureInfo.InvariantCulture);
        Debug.Assert(fits);
        length += written;
    }

    /// <summary>Appends a time as a JSON string, RFC 3339 in UTC with milliseconds.</summary>
    public void Time(long timeMs)
    {
        Raw("\""u8);
        Rfc3339Time.Write(timeMs, Reserve(Rfc3339Time.Length));
        length += Rfc3339Time.Length;
        Raw("\""u8);
    }

    /// <summary>Appends a UUID as a JSON string.</summary>
    public void Uuid(Guid value)
    {
        Raw("\""u8);
        bool fits = value.TryFormat(Reserve(36), out int written);
        Debug.Assert(fits);
        length += written;
        Raw("\""u8);
    }

    /// <summary>Appends a feature's value for people: whole numbers whole, others with up to 4 decimals or 3 digits.</summary>
    public void Readable(float value)
    {
        if (!float.IsFinite(value))
        {
            Raw("unknown"u8);
            return;
        }

        float size = Math.Abs(value);
        var format = size == MathF.Floor(size) && size < 1e15f ? "F0" : size is >= 0.001f and < 1e9f ? "0.####" : "G3";
        bool fits = value.TryFormat(Reserve(48), out int written, format, CultureInfo.InvariantCulture);
        Debug.Assert(fits);
        length += written;
    }

    private void Append(Rune rune)
    {
        switch (rune.Value)
        {
            case '"' or '\\':
                Raw("\\"u8);
                break;
            case < 0x20:
                Raw("\\u00"u8);
                var hex = Reserve(2);
                hex[0] = (byte)('0' + (rune.Value >> 4));
                hex[1] = "0123456789abcdef"u8[rune.Value & 15];
                length += 2;
                return;
            default:
                break;
        }

        length += rune.EncodeToUtf8(Reserve(4));
    }

    private Span<byte> Reserve(int count)
    {
        if (bytes.Length - length < count)
        {
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, length + count));
        }

        return bytes.AsSpan(length);
    }
}
