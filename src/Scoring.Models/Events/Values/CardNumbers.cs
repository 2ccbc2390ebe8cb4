namespace Scoring.Models.Events.Values;

/// <summary>Finds what looks like a primary account number: 13 to 19 digits, a payment network's first digit (2 to 6), a valid Luhn check digit.</summary>
/// <remarks>
/// Digits stand together, or in groups of 3 to 6 with a space or a hyphen between them (4-4-4-4, 4-6-5); a run that touches a letter,
/// such as part of a hash or a UUID, is none. One in ten numbers of that length and prefix passes Luhn by chance, hence "suspected".
/// </remarks>
public static class CardNumbers
{
    private const int DigitsMin = 13;
    private const int DigitsMax = 19;

    /// <summary>Whether a card number stands anywhere in <paramref name="text"/>.</summary>
    public static bool IsSuspected(ReadOnlySpan<byte> text) => text.Length >= DigitsMin && TryFind(text, 0, out _, out _);

    /// <summary>Finds the first suspected number at or after <paramref name="from"/>.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="start">Where its first digit is.</param>
    /// <param name="length">Its bytes, separators included.</param>
    public static bool TryFind(ReadOnlySpan<byte> text, int from, out int start, out int length)
    {
        for (int at = from; at < text.Length;)
        {
            if (!IsDigit(text[at]))
            {
                at++;
                continue;
            }

            int end = RunEnd(text, at, out int digits, out bool grouped);
            bool touchesLetter = (at > 0 && IsLetter(text[at - 1])) || (end < text.Length && IsLetter(text[end]));
            if (digits is >= DigitsMin and <= DigitsMax && grouped && !touchesLetter && text[at] is >= (byte)'2' and <= (byte)'6' && PassesLuhn(text[at..end]))
            {
                start = at;
                length = end - at;
                return true;
            }

            at = end;
        }

        start = 0;
        length = 0;
        return false;
    }

    /// <summary>Overwrites all digits but the first six and the last four of every suspected number with <c>*</c>.</summary>
    /// <returns>How many numbers were masked.</returns>
    public static int Mask(Span<byte> text)
    {
        int count = 0;
        for (int from = 0; TryFind(text, from, out int start, out int length); from = start + length)
        {
            var number = text.Slice(start, length);
            int digits = 0;
            foreach (byte b in number)
            {
                digits += IsDigit(b) ? 1 : 0;
            }

            int index = 0;
            foreach (ref byte b in number)
            {
                if (IsDigit(b) && index++ is var place && place >= 6 && place < digits - 4)
                {
                    b = (byte)'*';
                }
            }

            count++;
        }

        return count;
    }

    // The longest run of digits with single separators inside. Grouped: one group, or each of 3 to 6 digits.
    private static int RunEnd(ReadOnlySpan<byte> text, int start, out int digits, out bool grouped)
    {
        digits = 0;
        grouped = true;
        int groupStart = start;
        int at = start;
        while (true)
        {
            while (at < text.Length && IsDigit(text[at]))
            {
                at++;
            }

            int group = at - groupStart;
            digits += group;
            bool more = at + 1 < text.Length && text[at] is (byte)' ' or (byte)'-' && IsDigit(text[at + 1]);
            if (groupStart != start || more)
            {
                grouped &= group is >= 3 and <= 6;
            }

            if (!more)
            {
                return at;
            }

            groupStart = ++at;
        }
    }

    private static bool PassesLuhn(ReadOnlySpan<byte> number)
    {
        int sum = 0;
        bool twice = false;
        for (int i = number.Length - 1; i >= 0; i--)
        {
            if (!IsDigit(number[i]))
            {
                continue;
            }

            int digit = number[i] - '0';
            if (twice)
            {
                digit = digit > 4 ? (digit * 2) - 9 : digit * 2;
            }

            sum += digit;
            twice = !twice;
        }

        return sum % 10 == 0;
    }

    private static bool IsDigit(byte b) => (uint)(b - '0') <= 9;

    private static bool IsLetter(byte b) => (uint)((b | 0x20) - 'a') <= 25 || b == '_';
}
