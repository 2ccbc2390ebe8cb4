using System.Globalization;
using System.Text;

namespace Scoring.Models.Events.Values;

/// <summary>A list of ISO codes that is looked up by letters in either case or by number, without hashing.</summary>
internal sealed class CodeTable
{
    private const int Letters = 27; // 0 stands behind a code of two letters

    private readonly byte[] codes;
    private readonly int codeLength;
    private readonly short[] byLetters = new short[Letters * Letters * Letters];
    private readonly short[] byNumber = new short[1000];

    /// <summary>Reads a table whose rows, between white space, are: code, alias, three digits or <c>---</c>, rest.</summary>
    public CodeTable(string rows, int codeLength, int aliasLength)
    {
        this.codeLength = codeLength;
        Array.Fill(byLetters, (short)-1);
        Array.Fill(byNumber, (short)-1);
        var split = rows.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
        Codes = [.. split.Select(row => row[..codeLength])];
        Rests = [.. split.Select(row => row[(codeLength + aliasLength + 3)..])];
        codes = Encoding.ASCII.GetBytes(string.Concat(Codes));
        for (short row = 0; row < split.Length; row++)
        {
            byLetters[LettersOf(Encoding.ASCII.GetBytes(split[row][..codeLength]))] = row;
            if (aliasLength > 0)
            {
                byLetters[LettersOf(Encoding.ASCII.GetBytes(split[row].Substring(codeLength, aliasLength)))] = row;
            }

            if (short.TryParse(split[row].AsSpan(codeLength + aliasLength, 3), NumberStyles.None, CultureInfo.InvariantCulture, out short number))
            {
                byNumber[number] = row;
            }
        }
    }

    public IReadOnlyList<string> Codes { get; }

    public IReadOnlyList<string> Rests { get; }

    public bool TryFind(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> code)
    {
        int row = RowOf(text);
        code = row < 0 ? default : codes.AsSpan(row * codeLength, codeLength);
        return row >= 0;
    }

    /// <summary>The row of a code of two or three letters, or of a number of one to three digits; -1 for none.</summary>
    public int RowOf(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > 3)
        {
            return -1;
        }

        if ((uint)(text[0] - '0') > 9)
        {
            int letters = LettersOf(text);
            return letters < 0 ? -1 : byLetters[letters];
        }

        int number = 0;
        foreach (byte b in text)
        {
            if ((uint)(b - '0') > 9)
            {
                return -1;
            }

            number = (number * 10) + b - '0';
        }

        return byNumber[number];
    }

    private static int LettersOf(ReadOnlySpan<byte> text)
    {
        int letters = 0;
        for (int i = 0; i < 3; i++)
        {
            int letter = i < text.Length ? (text[i] | 0x20) - 'a' : -1;
            if (i < text.Length && (uint)letter > 25)
            {
                return -1;
            }

            letters = (letters * Letters) + letter + 1;
        }

        return letters;
    }
}
