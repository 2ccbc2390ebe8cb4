namespace Scoring.Models.Events.Values;

/// <summary>RFC 3339 times, from UTF-8 to milliseconds since 1970 UTC.</summary>
public static class Rfc3339
{
    private const int ShortestLength = 20; // 2018-04-01T00:00:00Z

    /// <summary>Reads a time with date, time of day to at least the second, and <c>Z</c> or an offset. Digits beyond the millisecond are cut off; second 60 is refused.</summary>
    /// <param name="text">The time, nothing before or behind it.</param>
    /// <param name="timeMs">Milliseconds since 1970 UTC; 0 when refused.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out long timeMs)
    {
        timeMs = 0;
        if (text.Length < ShortestLength
            || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ') || text[13] != ':' || text[16] != ':')
        {
            return false;
        }

        int year = (Two(text, 0) * 100) + Two(text, 2);
        int month = Two(text, 5);
        int day = Two(text, 8);
        int hour = Two(text, 11);
        int minute = Two(text, 14);
        int second = Two(text, 17);

        // A non-digit makes its part negative enough to fail here.
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 59)
        {
            return false;
        }

        int at = 19;
        int milliseconds = 0;
        if (text[at] == '.')
        {
            int weight = 100;
            int start = ++at;
            for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++, weight /= 10)
            {
                milliseconds += (text[at] - '0') * weight;
            }

            if (at == start || at == text.Length)
            {
                return false;
            }
        }

        if (!TryOffset(text[at..], out int offsetMinutes))
        {
            return false;
        }

        long days = DaysFromCivil(year, month, day);
        timeMs = (((((days * 24) + hour) * 60) + minute - offsetMinutes) * 60_000L) + (second * 1000L) + milliseconds;
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1)
        {
            return text[0] is (byte)'Z' or (byte)'z';
        }

        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':')
        {
            return false;
        }

        int hours = Two(text, 1);
        int rest = Two(text, 4);
        if (hours is < 0 or > 23 || rest is < 0 or > 59)
        {
            return false;
        }

        minutes = (hours * 60) + rest;
        minutes = text[0] == '-' ? -minutes : minutes;
        return true;
    }

    private static int Two(ReadOnlySpan<byte> text, int at)
    {
        uint tens = (uint)text[at] - '0';
        uint ones = (uint)text[at + 1] - '0';
        return tens <= 9 && ones <= 9 ? (int)((tens * 10) + ones) : -1_000_000;
    }

    // Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
    private static long DaysFromCivil(int year, int month, int day)
    {
        int y = month <= 2 ? year - 1 : year;
        int era = y / 400;
        int yearOfEra = y - (era * 400);
        int dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        int dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097L) + dayOfEra - 719_468;
    }
}
