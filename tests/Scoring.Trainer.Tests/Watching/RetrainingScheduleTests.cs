using System.Globalization;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Tests.Watching;

public sealed class RetrainingScheduleTests
{
    [Theory]
    [InlineData("0 0 * * 1", 0, "2024-01-03T10:00:00Z", "2024-01-08T00:00:00Z", true)] // Mondays
    [InlineData("0 0 * * 1", 0, "2024-01-08T00:00:00Z", "2024-01-15T00:00:00Z", true)] // the time itself is done with
    [InlineData("30 4 1 * *", 0, "2024-01-31T23:59:00Z", "2024-02-01T04:30:00Z", true)]
    [InlineData("0 0 * * 1", 50, "2024-01-03T10:00:00Z", "2024-01-04T00:00:00Z", false)] // labels are looked at each midnight
    [InlineData("0 0 * * 1", 50, "2024-01-07T10:00:00Z", "2024-01-08T00:00:00Z", true)]
    [InlineData(null, 50, "2024-02-28T10:00:00Z", "2024-02-29T00:00:00Z", false)]
    public void The_next_time_is_found(string? cron, int labelsMin, string after, string expected, bool isScheduled)
    {
        var schedule = new RetrainingSchedule(new WatchSettings { Cron = cron, LabelsMin = labelsMin });

        var point = schedule.After(DateTimeOffset.Parse(after, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds());

        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), point!.At);
        Assert.Equal(isScheduled, point.IsScheduled);
    }

    [Theory]
    [InlineData("every monday", 0, "write five cron fields")]
    [InlineData(null, 0, "nothing would ever ask for training")]
    public void A_schedule_that_cannot_be_is_refused(string? cron, int labelsMin, string sentence)
    {
        var refusal = Assert.Throws<TrainerException>(() => new RetrainingSchedule(new WatchSettings { Cron = cron, LabelsMin = labelsMin }));
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(64, refusal.ExitCode);
    }
}
