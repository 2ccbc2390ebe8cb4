using Cronos;

namespace Scoring.Trainer.Watching;

/// <summary>The times at which the trainer looks: those of the schedule, and each midnight where labels or drift may ask too.</summary>
internal sealed class RetrainingSchedule
{
    private readonly CronExpression? cron;
    private readonly bool isDaily;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="TrainerException">The schedule cannot be read.</exception>
    public RetrainingSchedule(WatchSettings settings)
    {
        isDaily = settings.LabelsMin > 0 || settings.DriftMin > 0;
        try
        {
            cron = settings.Cron is { } text ? CronExpression.Parse(text) : null;
        }
        catch (CronFormatException e)
        {
            throw new TrainerException(ExitCode.Usage, $"--schedule {settings.Cron}: {e.Message}; write five cron fields, such as \"0 0 * * 1\" for Mondays at midnight UTC", e);
        }

        if (cron is null && !isDaily)
        {
            throw new TrainerException(ExitCode.Usage, "nothing would ever ask for training: give --schedule, --labels-min or --drift-min");
        }
    }

    /// <summary>The first time behind another; null when there is none any more.</summary>
    public WatchPoint? After(long timeMs)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(timeMs);
        var scheduled = cron?.GetNextOccurrence(time, TimeZoneInfo.Utc);
        var midnight = isDaily ? new DateTimeOffset(time.UtcDateTime.Date, TimeSpan.Zero).AddDays(1) : (DateTimeOffset?)null;
        return (scheduled, midnight) switch
        {
            (null, null) => null,
            ({ } one, null) => new(one.ToUnixTimeMilliseconds(), IsScheduled: true),
            (null, { } other) => new(other.ToUnixTimeMilliseconds(), IsScheduled: false),
            ({ } one, { } other) => new((one <= other ? one : other).ToUnixTimeMilliseconds(), IsScheduled: one <= other),
        };
    }
}
