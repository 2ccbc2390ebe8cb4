using System.CommandLine;
using System.Globalization;
using Scoring.Models.Definitions;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Commands;

/// <summary>Options of <see cref="WatchSettings"/>.</summary>
internal sealed class WatchOptions
{
    private static readonly WatchSettings Default = new();

    private readonly LearnerOptions learner = new();
    private readonly NetworkOptions network = new();
    private readonly Option<string> cron = new("--schedule") { Description = "when to train: five cron fields, UTC; \"never\": only when labels or drift ask", DefaultValueFactory = _ => Default.Cron! };
    private readonly Option<int> labels = CommonOptions.Count("--labels-min", "newly known frauds that are reason enough to train, looked at each midnight UTC; 0: they are not", 0, 0, 1_000_000);
    private readonly Option<double> drift = new("--drift-min") { Description = "population stability index of a feature or the score that is reason enough to train, looked at each midnight UTC; 0: it is not; 0.25 is the usual alarm", DefaultValueFactory = _ => Default.DriftMin };
    private readonly Option<TimeSpan> settle = Duration("--settle", "how long after a time it is looked at", Default.Settle);
    private readonly Option<int> trainingDays = CommonOptions.Count("--training-days", "days that are learnt from", Default.TrainingDays, 1, 1_000);
    private readonly Option<int> judgedDays = CommonOptions.Count("--judged-days", "days behind those that both models are judged on", Default.JudgedDays, 1, 365);
    private readonly Option<int> reviews = CommonOptions.Count("--reviews-per-day", "review budget, where the definition states no threshold", Default.ReviewsPerDay, 1, 1_000_000);
    private readonly Option<double> precision = CommonOptions.Share("--decline-precision", "share of frauds from which on to decline, where the definition states no threshold", Default.DeclinePrecision);
    private readonly Option<double> margin = new("--margin") { Description = "average precision that a challenger must surely gain; 0 to 0.5", DefaultValueFactory = _ => Default.Gate.Margin };
    private readonly Option<int> frauds = CommonOptions.Count("--frauds-min", "frauds without which nothing is decided", Default.Gate.FraudsMin, 2, 1_000_000);
    private readonly Option<TimeSpan> retention = Duration("--retention", "how long transactions and labels are kept", Default.Retention);
    private readonly Option<int> megabytes = CommonOptions.Count("--history-megabytes", "most megabytes of the recorded history", (int)(Default.HistoryBytesMax >> 20), 1, int.MaxValue);
    private readonly Option<int> rows = CommonOptions.Count("--segment-rows", "rows from which on a segment of the history is written", Default.SegmentRows, 1, 1_000_000);
    private readonly Option<TimeSpan> age = Duration("--segment-age", "age from which on a segment is written", Default.SegmentAge);

    public void AddTo(Command command)
    {
        margin.Validators.Add(result =>
        {
            double value = result.GetValueOrDefault<double>();
            if (!(value >= 0 && value <= 0.5))
            {
                result.AddError($"--margin {value.ToString(CultureInfo.InvariantCulture)}: 0 to 0.5");
            }
        });
        drift.Validators.Add(result =>
        {
            double value = result.GetValueOrDefault<double>();
            if (!(value >= 0 && value <= 100))
            {
                result.AddError($"--drift-min {value.ToString(CultureInfo.InvariantCulture)}: 0 to 100");
            }
        });
        foreach (var option in new Option[] { cron, labels, drift, settle, trainingDays, judgedDays, reviews, precision, margin, frauds, retention, megabytes, rows, age })
        {
            command.Add(option);
        }

        learner.AddTo(command);
        network.AddTo(command);
    }

    public WatchSettings Read(ParseResult parsed) => new()
    {
        Cron = parsed.GetValue(cron) is "never" ? null : parsed.GetValue(cron),
        LabelsMin = parsed.GetValue(labels),
        DriftMin = parsed.GetValue(drift),
        Settle = parsed.GetValue(settle),
        TrainingDays = parsed.GetValue(trainingDays),
        JudgedDays = parsed.GetValue(judgedDays),
        ReviewsPerDay = parsed.GetValue(reviews),
        DeclinePrecision = parsed.GetValue(precision),
        Learner = learner.Read(parsed),
        NetworkChoice = network.ReadChoice(parsed),
        Network = network.Read(parsed, learner.Read(parsed).Seed),
        Gate = new ChampionGate { Margin = parsed.GetValue(margin), FraudsMin = parsed.GetValue(frauds) },
        Retention = parsed.GetValue(retention),
        HistoryBytesMax = (long)parsed.GetValue(megabytes) << 20,
        SegmentRows = parsed.GetValue(rows),
        SegmentAge = parsed.GetValue(age),
    };

    private static Option<TimeSpan> Duration(string name, string description, TimeSpan defaultValue) => new(name)
    {
        Description = $"{description}; by default {DurationText.Format(defaultValue)}",
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result =>
        {
            if (DurationText.TryParse(result.Tokens[0].Value, out var duration))
            {
                return duration;
            }

            result.AddError($"{name} {result.Tokens[0].Value}: {DurationText.Forms}");
            return default;
        },
    };
}
