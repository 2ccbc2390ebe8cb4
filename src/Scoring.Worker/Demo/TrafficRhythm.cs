namespace Scoring.Worker.Demo;

/// <summary>When people pay: more by day than by night, more on Fridays and Saturdays than on Tuesdays.</summary>
/// <remarks>
/// A week of hourly intensities with mean 1. A payment stream with that intensity is a steady one seen through a bent clock:
/// a gap is drawn in steady time and mapped back, one binary search each, with no draw thrown away.
/// </remarks>
internal static class TrafficRhythm
{
    private const int HourCount = 168;
    private const long HourMs = 3_600_000;
    private const long WeekMs = HourCount * HourMs;

    // 1970-01-01 was a Thursday: hour 0 of a week that begins on Monday lies three days before it.
    private const long MondayOffsetMs = 3 * 24 * HourMs;

    private static readonly double[] HoursOfDay =
    [
        0.20, 0.12, 0.08, 0.06, 0.07, 0.15, 0.40, 0.80, 1.05, 1.10, 1.20, 1.40,
        1.75, 1.55, 1.25, 1.25, 1.40, 1.70, 1.90, 1.75, 1.40, 1.05, 0.75, 0.40,
    ];

    private static readonly double[] DaysOfWeek = [0.90, 0.88, 0.92, 1.00, 1.20, 1.25, 0.85];

    private static readonly double[] Cumulative = BuildCumulative();

    /// <summary>The time that follows <paramref name="timeMs"/> after a gap of <paramref name="steadyMs"/> of average traffic.</summary>
    /// <param name="timeMs">Time, ms since 1970 UTC.</param>
    /// <param name="steadyMs">Gap as it would be if every hour were average, ms.</param>
    /// <param name="offsetHours">What to add to UTC for the person's own day.</param>
    public static long After(long timeMs, double steadyMs, int offsetHours)
    {
        long local = timeMs + (offsetHours * HourMs) + MondayOffsetMs;
        long week = local / WeekMs;
        double inWeekHours = (local - (week * WeekMs)) / (double)HourMs;
        int hour = (int)inWeekHours;
        double steady = Cumulative[hour] + ((inWeekHours - hour) * (Cumulative[hour + 1] - Cumulative[hour])) + (steadyMs / HourMs);
        long weeks = (long)(steady / HourCount);
        double rest = steady - (weeks * HourCount);
        int place = Array.BinarySearch(Cumulative, rest);
        int found = Math.Min(place >= 0 ? place : ~place - 1, HourCount - 1);
        double within = (rest - Cumulative[found]) / (Cumulative[found + 1] - Cumulative[found]);
        long next = ((week + weeks) * WeekMs) + (long)((found + within) * HourMs) - MondayOffsetMs - (offsetHours * HourMs);
        return Math.Max(next, timeMs + 1);
    }

    // 169 running sums of the week's 168 intensities, scaled so that the last is 168.
    private static double[] BuildCumulative()
    {
        var sums = new double[HourCount + 1];
        for (int hour = 0; hour < HourCount; hour++)
        {
            sums[hour + 1] = sums[hour] + (HoursOfDay[hour % 24] * DaysOfWeek[hour / 24]);
        }

        double scale = HourCount / sums[HourCount];
        for (int hour = 1; hour <= HourCount; hour++)
        {
            sums[hour] *= scale;
        }

        return sums;
    }
}
