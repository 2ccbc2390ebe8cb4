using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Scoring.Models.Events.Json;

namespace Scoring.Models.Events.Files;

/// <summary>CSV by RFC 4180 as JSON objects: a cell that is a JSON number, <c>true</c> or <c>false</c> as it stands, any other as a text, an empty one not at all.</summary>
internal sealed class CsvRecords(IReadOnlySet<string>? textColumns) : RecordReader
{
    private static readonly SearchValues<byte> JsonSpecials = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private readonly ArrayBufferWriter<byte> json = new(1024);
    private readonly ArrayBufferWriter<byte> cell = new(256);
    private byte[][]? names;
    private bool[] isText = [];

    protected override bool Next(ByteSource source)
    {
        if (names is null && !ReadHeader(source))
        {
            return false;
        }

        while (FindRow(source, out int length, out int taken, out bool isOpen))
        {
            Begin();
            var row = source.Span[..length];
            bool isEmpty = row.IsEmpty;
            if (!isEmpty)
            {
                WriteRow(row, isOpen);
            }

            Take(source, taken);
            if (!isEmpty)
            {
                return true;
            }
        }

        return false;
    }

    private bool ReadHeader(ByteSource source)
    {
        if (!FindRow(source, out int length, out int taken, out _))
        {
            return false;
        }

        var header = new List<string>();
        var rest = source.Span[..length];
        for (bool more = true; more;)
        {
            more = NextCell(ref rest, out var name, out _);
            header.Add(Encoding.UTF8.GetString(name));
        }

        Take(source, taken);
        names = [.. header.Select(name => JsonEncodedText.Encode(name).EncodedUtf8Bytes.ToArray())];
        isText = [.. header.Select(name => textColumns?.Contains(name) ?? false)];
        return true;
    }

    private void WriteRow(ReadOnlySpan<byte> row, bool isOpen)
    {
        if (isOpen)
        {
            Problem = "a quoted cell is not closed: double the quotes inside it, and close it";
            return;
        }

        json.ResetWrittenCount();
        json.Write("{"u8);
        int column = 0;
        for (bool more = true; more; column++)
        {
            more = NextCell(ref row, out var value, out bool isGood);
            if (!isGood)
            {
                Problem = string.Create(CultureInfo.InvariantCulture, $"cell {column + 1} has text behind its closing quote: double the quotes inside it");
                return;
            }

            if (column < names!.Length && !value.IsEmpty)
            {
                WriteMember(column, value);
            }
        }

        json.Write("}"u8);
        if (column != names!.Length)
        {
            Problem = string.Create(CultureInfo.InvariantCulture, $"has {column} cells, the header has {names.Length}");
            return;
        }

        Json = json.WrittenMemory;
    }

    private void WriteMember(int column, ReadOnlySpan<byte> value)
    {
        json.Write(json.WrittenCount > 1 ? ",\""u8 : "\""u8);
        json.Write(names![column]);
        json.Write("\":"u8);
        if (!isText[column] && IsLiteral(value))
        {
            json.Write(value);
            return;
        }

        json.Write("\""u8);
        while (true)
        {
            int plain = value.IndexOfAny(JsonSpecials);
            json.Write(plain < 0 ? value : value[..plain]);
            if (plain < 0)
            {
                break;
            }

            // \u00XX serves for all of them.
            json.Write("\\u00"u8);
            json.Write([Hex(value[plain] >> 4), Hex(value[plain] & 15)]);
            value = value[(plain + 1)..];
        }

        json.Write("\""u8);

        static byte Hex(int digit) => (byte)"0123456789abcdef"[digit];
    }

    private static bool IsLiteral(ReadOnlySpan<byte> value)
    {
        if (value[0] is (byte)'t' or (byte)'f')
        {
            return value.SequenceEqual("true"u8) || value.SequenceEqual("false"u8);
        }

        var scanner = new JsonScanner(value, 0);
        return scanner.TryNumber(out _, out _) && scanner.Position == value.Length;
    }

    // The next row up to a line's end outside of quotes.
    private static bool FindRow(ByteSource source, out int length, out int taken, out bool isOpen)
    {
        isOpen = false;
        int at = 0;
        while (true)
        {
            int found = source.Span[at..].IndexOfAny((byte)'"', (byte)'\n');
            if (found < 0)
            {
                at = source.Span.Length;
                if (source.More())
                {
                    continue;
                }

                length = taken = at;
                return at > 0;
            }

            at += found;
            if (source.Span[at] == '"')
            {
                isOpen = !isOpen;
                at++;
                continue;
            }

            if (isOpen)
            {
                at++;
                continue;
            }

            taken = at + 1;
            length = at > 0 && source.Span[at - 1] == '\r' ? at - 1 : at;
            return true;
        }
    }

    // Takes a cell and its comma; false behind the row's last.
    private bool NextCell(ref ReadOnlySpan<byte> row, out ReadOnlySpan<byte> value, out bool isGood)
    {
        isGood = true;
        if (row.IsEmpty || row[0] != '"')
        {
            int comma = row.IndexOf((byte)',');
            value = comma < 0 ? row : row[..comma];
            row = comma < 0 ? default : row[(comma + 1)..];
            return comma >= 0;
        }

        cell.ResetWrittenCount();
        row = row[1..];
        while (true)
        {
            int quote = row.IndexOf((byte)'"');
            if (quote < 0)
            {
                isGood = false;
                value = default;
                row = default;
                return false;
            }

            cell.Write(row[..quote]);
            row = row[(quote + 1)..];
            if (row.IsEmpty || row[0] != '"')
            {
                break;
            }

            cell.Write("\""u8);
            row = row[1..];
        }

        value = cell.WrittenSpan;
        bool more = !row.IsEmpty && row[0] == ',';
        isGood = row.IsEmpty || more;
        row = more ? row[1..] : default;
        return more;
    }
}
