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
        var tuned = new TuneWindows();
        var trees = TuneWindows.Grid("--trees", "trees of a member", 200);
        var leaves = TuneWindows.Grid("--leaves", "most leaves of a tree", 16);
        var rates = TuneWindows.Grid("--learning-rate", "share of each tree's answer that is added", 0.05);
        var shares = TuneWindows.Grid("--feature-share", "share of the features that a split may look at", 0.3);
        var rows = TuneWindows.Grid("--rows-per-leaf", "fewest rows in a leaf", 10);
        var members = TuneWindows.Grid("--members", "ensembles averaged", 1);
        var command = new Command("tune", "Compares learner settings by the handbook's protocol over several weeks; every combination of the values given.")
        {
            definition, history, trees, leaves, rates, shares, rows, members,
        };
        tuned.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            long delayMs = (long)service.Labels.Delay.TotalMilliseconds;
            var windows = tuned.Read(parsed);
            var settings =
                from t in parsed.GetRequiredValue(trees)
                from l in parsed.GetRequiredValue(leaves)
                from r in parsed.GetRequiredValue(rates)
                from s in parsed.GetRequiredValue(shares)
                from n in parsed.GetRequiredValue(rows)
                from m in parsed.GetRequiredValue(members)
                select new LearnerSettings { Trees = t, Leaves = l, LearningRate = r, FeatureShare = s, RowsPerLeaf = n, Members = m };
            var table = await Progress.RunAsync(TimeProvider.System, progress =>
                FeatureTables.ReadAsync(service, plan, parsed.GetRequiredValue(history), TuneWindows.Needed(windows, delayMs), progress, cancellation));
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
}
