using System.Globalization;

namespace Scoring.Models.Definitions;

/// <summary>Durations as definition files write them: a whole number and one of ms, s, m, h, d, w (<c>90s</c>, <c>7d</c>), or ISO 8601 without years and months (<c>PT1H30M</c>, <c>P7D</c>).</summary>
public static class DurationText
{
    /// <summary>What a duration may look like, for messages.</summary>
    public const string Forms = "write a duration such as \"10s\", \"1m\", \"1h\", \"7d\" or \"PT1H\"";

    private static readonly (string Suffix, long Milliseconds)[] Units =
    [
        ("ms", 1), ("w", 7 * 86_400_000L), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
    ];

    /// <summary>Reads a duration of at most 100 years.</summary>
    /// <returns>Whether <paramref name="text"/> is one; the sign is never accepted.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        long? milliseconds = text.StartsWith('P') ? Iso(text.AsSpan(1)) : Short(text);
        if (milliseconds is not (>= 0 and <= 36_525L * 86_400_000))
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(milliseconds.Value);
        return true;
    }

    /// <summary>Writes a duration with the largest unit that divides it.</summary>
    public static string Format(TimeSpan duration)
    {
        long milliseconds = duration.Ticks / TimeSpan.TicksPerMillisecond;
        foreach (var (suffix, unit) in Units.Where(unit => unit.Suffix is not "w").OrderByDescending(unit => unit.Milliseconds))
        {
            if (milliseconds != 0 && milliseconds % unit == 0)
            {
                return (milliseconds / unit).ToString(CultureInfo.InvariantCulture) + suffix;
            }
        }

        return "0s";
    }

    private static long? Short(string text)
    {
        foreach (var (suffix, unit) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                return Whole(text.AsSpan(0, text.Length - suffix.Length)) * unit;
            }
        }

        return null;
    }

    private static long? Iso(ReadOnlySpan<char> rest)
    {
        long total = 0;
        bool inTime = false;
        bool any = false;
        while (!rest.IsEmpty)
        {
            if (rest[0] == 'T' && !inTime)
            {
                inTime = true;
                rest = rest[1..];
                any = false;
                continue;
            }

            int digits = 0;
            while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
            {
                digits++;
            }

            if (digits == rest.Length || Whole(rest[..digits]) is not { } count)
            {
                return null;
            }

            long unit = (inTime, rest[digits]) switch
            {
                (false, 'W') => 7 * 86_400_000L,
                (false, 'D') => 86_400_000,
                (true, 'H') => 3_600_000,
                (true, 'M') => 60_000,
                (true, 'S') => 1_000,
                _ => -1,
            };
            if (unit < 0)
            {
                return null;
            }

            total += count * unit;
            any = true;
            rest = rest[(digits + 1)..];
        }

        return any ? total : null;
    }

    // Nine digits of weeks stay far inside a long.
    private static long? Whole(ReadOnlySpan<char> digits) =>
        digits.Length is > 0 and <= 9 && !digits.ContainsAnyExceptInRange('0', '9')
            ? long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)
            : null;
}
