namespace Scoring.Worker.Demo;

/// <summary>The simulated calendar of a demo: what is recorded, what is learnt from, what is played live.</summary>
/// <remarks>
/// Live traffic is played faster than it happens: a few thousand customers pay some thousands of times a day. The live days
/// end about now, so the history ends a few days ago.
/// </remarks>
internal sealed class DemoSchedule
{
    private const int HistoryDays = 35;
    private const int WarmUpDays = 21;
    private const int SettlingDays = 7;
    private const int CalibrationDays = 7;
    private const int BehaviourDays = 7;
    private const double PaymentsPerDay = 2.05;
    private const double Slack = 1.2;

    /// <summary>Lays out the days that end at <paramref name="now"/>.</summary>
    public DemoSchedule(DemoOptions options, DateTimeOffset now)
    {
        double liveDays = Slack * options.Rate * options.Seconds / (options.Accounts * PaymentsPerDay);
        LiveEnds = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, now.Minute, 0, now.Offset);
        LiveBegins = LiveEnds.AddMinutes(-Math.Ceiling(liveDays * 24 * 60));
        HistoryBegins = LiveBegins.AddDays(-HistoryDays);
        Traffic = new TrafficOptions
        {
            Seed = (ulong)options.Seed,
            Accounts = options.Accounts,
            Merchants = Math.Clamp(options.Accounts / 5, 200, 5_000),
            Start = HistoryBegins,
        };
    }

    /// <summary>The simulated world, without an end.</summary>
    public TrafficOptions Traffic { get; }

    /// <summary>Start of the recorded history.</summary>
    public DateTimeOffset HistoryBegins { get; }

    /// <summary>First day that is learnt from: behaviour before it is known.</summary>
    public DateTimeOffset TrainingBegins => HistoryBegins.AddDays(BehaviourDays);

    /// <summary>End of what is learnt from, start of what is calibrated on.</summary>
    public DateTimeOffset CalibrationBegins => CalibrationEnds.AddDays(-CalibrationDays);

    /// <summary>End of what is calibrated on: after it, labels have not settled.</summary>
    public DateTimeOffset CalibrationEnds => LiveBegins.AddDays(-SettlingDays);

    /// <summary>From here on the history is played to the worker too, so that it knows the customers.</summary>
    public DateTimeOffset WarmUpBegins => LiveBegins.AddDays(-WarmUpDays);

    /// <summary>End of the recorded history, start of live traffic.</summary>
    public DateTimeOffset LiveBegins { get; }

    /// <summary>About now: live traffic never passes it.</summary>
    public DateTimeOffset LiveEnds { get; }
}
