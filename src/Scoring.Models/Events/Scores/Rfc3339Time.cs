namespace Scoring.Models.Events.Scores;

/// <summary>Writes times as <c>2026-11-24T17:03:22.000Z</c>.</summary>
internal static class Rfc3339Time
{
    /// <summary>Bytes of a written time.</summary>
    public const int Length = 24;

    private static readonly long EarliestMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long LatestMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Writes a time.</summary>
    /// <param name="timeMs">Milliseconds since 1970 UTC; what is outside the years 1 to 9999 is written as their first or last moment.</param>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    public static void Write(long timeMs, Span<byte> destination)
    {
        "0000-00-00T00:00:00.000Z"u8.CopyTo(destination);
        var time = DateTime.UnixEpoch.AddTicks(Math.Clamp(timeMs, EarliestMs, LatestMs) * TimeSpan.TicksPerMillisecond);
        time.Deconstruct(out DateOnly date, out TimeOnly clock);
        date.Deconstruct(out int year, out int month, out int day);
        Digits(destination[..4], year);
        Digits(destination[5..7], month);
        Digits(destination[8..10], day);
        Digits(destination[11..13], clock.Hour);
        Digits(destination[14..16], clock.Minute);
        Digits(destination[17..19], clock.Second);
        Digits(destination[20..23], clock.Millisecond);
    }

    private static void Digits(Span<byte> destination, int value)
    {
        for (int i = destination.Length - 1; i >= 0; i--, value /= 10)
        {
            destination[i] = (byte)('0' + (value % 10));
        }
    }
}
