using System.Globalization;

namespace Scoring.Worker.Demo;

/// <summary>The simulated calendar of a demo, in whole days of UTC that are over: the same seed gives the same world, whenever it is started.</summary>
/// <remarks>
/// Weeks begin on Mondays, because people pay otherwise on Saturdays than on Tuesdays, and the trainer learns on Mondays. Live traffic is
/// played faster than it happens, so it must lie behind us.
/// <code>
/// |---- history, 28 days ----|-- week with the first model --|- a day, in which the second is trained -|- compared, 3 days -|
///                            Monday   ^ new fraud            Monday
/// </code>
/// </remarks>
internal sealed class DemoSchedule
{
    /// <summary>Time between a payment and the moment at which its label counts: <c>labels.delay</c> of the demo's definition.</summary>
    public const int LabelDelayDays = 2;

    /// <summary>Days that a model learns from.</summary>
    public const int TrainingDays = 10;

    /// <summary>Days behind those that it is judged on.</summary>
    public const int JudgedDays = 2;

    private const int HistoryDays = 28;
    private const int ChangeoverDays = 1;
    private const int ComparedDays = 3;
    private const int NewFraudHours = 12;
    private const double LabelDelayMedianDays = 0.7;
    private const double PaymentsPerAccount = 2.05;
    private const double Slack = 1.2;

    /// <summary>Lays out the last days of which all is over at <paramref name="now"/>.</summary>
    public DemoSchedule(DemoOptions options, DateTimeOffset now)
    {
        int liveDays = 7 + ChangeoverDays + ComparedDays;
        var lastDay = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddDays(-liveDays);
        LiveBegins = lastDay.AddDays(-(((int)lastDay.DayOfWeek + 6) % 7));
        HistoryBegins = LiveBegins.AddDays(-HistoryDays);
        NewFraudBegins = LiveBegins.AddHours(NewFraudHours);
        LearnsAgain = LiveBegins.AddDays(7);
        ComparedFrom = LearnsAgain.AddDays(ChangeoverDays);
        LiveEnds = ComparedFrom.AddDays(ComparedDays);
        PaymentsPerDay = options.Accounts * PaymentsPerAccount;
        LivePaymentsMax = (int)(Slack * liveDays * PaymentsPerDay);
        Traffic = new TrafficOptions
        {
            Seed = (ulong)options.Seed,
            Accounts = options.Accounts,
            Merchants = Math.Clamp(options.Accounts / 5, 200, 5_000),
            Start = HistoryBegins,
            End = LiveEnds,
            StoredCardAbuseBegins = NewFraudBegins,
            LabelDelayMedianDays = LabelDelayMedianDays,
        };
    }

    /// <summary>The simulated world.</summary>
    public TrafficOptions Traffic { get; }

    /// <summary>Start of the history.</summary>
    public DateTimeOffset HistoryBegins { get; }

    /// <summary>A Monday: the end of the history, the first model's training, and the start of live traffic.</summary>
    public DateTimeOffset LiveBegins { get; }

    /// <summary>When a fraud begins that the first model has never seen.</summary>
    public DateTimeOffset NewFraudBegins { get; }

    /// <summary>The next Monday: the trainer learns again.</summary>
    public DateTimeOffset LearnsAgain { get; }

    /// <summary>From here on the second model scores, and both are compared.</summary>
    public DateTimeOffset ComparedFrom { get; }

    /// <summary>End of live traffic, not included.</summary>
    public DateTimeOffset LiveEnds { get; }

    /// <summary>Payments of an average day, about.</summary>
    public double PaymentsPerDay { get; }

    /// <summary>More live payments than there will be.</summary>
    public int LivePaymentsMax { get; }

    /// <summary>A time as it is told: <c>day 8 Mon 00:01</c>; day 1 is the first of live traffic.</summary>
    public string Name(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"day {Math.Floor((time - LiveBegins).TotalDays) + 1,2:0} {time:ddd HH:mm}");

    /// <summary>What somebody looks at in a day: one and a half times as much as there is fraud on an ordinary day.</summary>
    public int ReviewsPerDay => Math.Max(1, (int)(1.5 * Traffic.Accounts * Traffic.TransactionsPerAccountPerDay * Traffic.FraudRate));
}
