using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>Features of the event alone, by the calendar and the field itself.</summary>
internal static class StatelessOracle
{
    /// <summary>The value; null for an aggregate that is not known here.</summary>
    public static double? Compute(OracleFeature feature, TransactionBatch batch, int row)
    {
        long eventTimeMs = batch.EventTimesMs[row];
        switch (feature.Aggregate)
        {
            case "value":
                return feature.Of!.Plain(batch, row) is var value && double.IsNaN(value) ? feature.Empty : value;
            case "log":
                return feature.Of!.Plain(batch, row) is > -1 and var number ? Math.Log(1 + number) : feature.Empty;
            case "membership":
                return feature.Of!.Text(batch, row) is { } text ? feature.Values.Contains(text, StringComparer.Ordinal) ? 1 : 0 : feature.Empty;
            case "mismatch":
                return feature.Of!.Text(batch, row) is { } one && feature.With!.Text(batch, row) is { } other
                    ? string.Equals(one, other, StringComparison.Ordinal) ? 0 : 1
                    : feature.Empty;
        }

        if ((feature.Of is { } field ? field.Time(batch, row) : eventTimeMs) is not { } timeMs)
        {
            return feature.Empty;
        }

        var time = DateTimeOffset.FromUnixTimeMilliseconds(timeMs);
        return feature.Aggregate switch
        {
            "hour" => time.Hour,
            "weekday" => ((int)time.DayOfWeek + 6) % 7,
            "weekend" => time.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 1 : 0,
            "night" => IsNight(time.Hour, feature.Hours[0], feature.Hours[^1] % 24) ? 1 : 0,
            "age" => (eventTimeMs - timeMs) / 1000.0,
            _ => null,
        };
    }

    private static bool IsNight(int hour, int first, int last) => first <= last ? hour >= first && hour <= last : hour >= first || hour <= last;
}
