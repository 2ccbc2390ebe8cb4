using System.CommandLine;
using System.Globalization;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary><c>tune</c>: compares learner settings on validation weeks, so that the test weeks stay unseen.</summary>
internal static class TuneCommand
{
    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var starts = new Option<string[]>("--train-from") { Description = "first days of the training windows, e.g. 2018-06-20 2018-06-27", Required = true, AllowMultipleArgumentsPerToken = true };
        var days = CommonOptions.Count("--train-days", "days of each training window", 7, 1, 366);
        var trees = Grid<int>("--trees", "trees of a member", 200);
        var leaves = Grid<int>("--leaves", "most leaves of a tree", 16);
        var rates = Grid<double>("--learning-rate", "share of each tree's answer that is added", 0.05);
        var shares = Grid<double>("--feature-share", "share of the features that a split may look at", 0.3);
        var rows = Grid<int>("--rows-per-leaf", "fewest rows in a leaf", 10);
        var members = Grid<int>("--members", "ensembles averaged", 1);
        var command = new Command("tune", "Compares learner settings by the handbook's protocol over several weeks; every combination of the values given.")
        {
            definition, history, starts, days, trees, leaves, rates, shares, rows, members,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            long delayMs = (long)service.Labels.Delay.TotalMilliseconds;
            var windows = parsed.GetRequiredValue(starts).Select(text => Window(text, parsed.GetValue(days))).ToList();
            var settings =
                from t in parsed.GetRequiredValue(trees)
                from l in parsed.GetRequiredValue(leaves)
                from r in parsed.GetRequiredValue(rates)
                from s in parsed.GetRequiredValue(shares)
                from n in parsed.GetRequiredValue(rows)
                from m in parsed.GetRequiredValue(members)
                select new LearnerSettings { Trees = t, Leaves = l, LearningRate = r, FeatureShare = s, RowsPerLeaf = n, Members = m };
            var needed = new TimeWindow(windows.Min(window => window.FromMs), windows.Max(window => HandbookProtocol.Test(window, delayMs).ToMs));
            var table = await Progress.RunAsync(TimeProvider.System, progress =>
                FeatureTables.ReadAsync(service, plan, parsed.GetRequiredValue(history), needed, progress, cancellation));
            Console.Out.WriteLine("trees leaves rate  share rows members    AUC     AP CP@100  (means over the windows)");
            foreach (var candidate in settings)
            {
                cancellation.ThrowIfCancellationRequested();
                var reports = windows.Select(window => Judge(table, window, delayMs, candidate)).ToList();
                Console.Out.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{candidate.Trees,5} {candidate.Leaves,6} {candidate.LearningRate,4:0.00} {candidate.FeatureShare,6:0.00} {candidate.RowsPerLeaf,4} {candidate.Members,7} {reports.Average(r => r.AreaUnderRoc),6:0.0000} {reports.Average(r => r.AveragePrecision),6:0.0000} {reports.Average(r => r.CardPrecision),6:0.0000}"));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static EvaluationReport Judge(FeatureTable table, TimeWindow training, long delayMs, LearnerSettings settings)
    {
        var trees = TreeLearner.Grow(table, table.Labelled(training), settings, _ => { });
        var rows = HandbookProtocol.TestRows(table, training, delayMs);
        return EvaluationReport.Of(TrainingRun.Scored(table, rows, TrainingRun.Margins(trees, table, rows)));
    }

    private static TimeWindow Window(string text, int days)
    {
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var from))
        {
            throw new TrainerException(ExitCode.Usage, $"--train-from {text}: not a day; write 2018-06-20");
        }

        return CommonOptions.Window(from, from.AddDays(days));
    }

    private static Option<T[]> Grid<T>(string name, string description, T defaultValue) => new(name)
    {
        Description = description + "; several to compare",
        DefaultValueFactory = _ => [defaultValue],
        AllowMultipleArgumentsPerToken = true,
    };
}
