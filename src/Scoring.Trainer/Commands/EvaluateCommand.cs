using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary><c>evaluate</c>: how good a package is on data it has not learnt from.</summary>
internal static class EvaluateCommand
{
    private const string Plain = "plain";
    private const string Handbook = "handbook";

    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var package = CommonOptions.Package();
        var keys = CommonOptions.PublicKeys();
        var protocol = new Option<string>("--protocol")
        {
            Description = "plain: every labelled transaction of --from to --to; handbook: the week that begins one label delay after the training's end, without cards known to be compromised, beside the published figures",
            DefaultValueFactory = _ => Plain,
        }.AcceptOnlyFromAmong(Plain, Handbook);
        var from = CommonOptions.Time("--from", "first event time, protocol plain");
        var to = CommonOptions.Time("--to", "end, excluded, protocol plain");
        var given = new Option<string?>("--scores") { Description = "CSV file with transaction_id,score: these scores are judged, for example those that stand on the scores topic, instead of the package's own" };
        var json = new Option<bool>("--json") { Description = "figures as one JSON object" };
        var command = new Command("evaluate", "Judges a package on a stretch of history.") { definition, history, package, keys, protocol, from, to, given, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            using var ensemble = CommonOptions.ReadEnsemble(parsed.GetRequiredValue(package), parsed.GetRequiredValue(keys), service, plan);
            long delayMs = (long)service.Labels.Delay.TotalMilliseconds;
            bool isHandbook = string.Equals(parsed.GetValue(protocol), Handbook, StringComparison.Ordinal);
            var training = TrainingWindow(ensemble.Package.Manifest);
            var window = isHandbook
                ? HandbookProtocol.Test(training ?? throw new TrainerException(ExitCode.Usage, "the package does not say what it learnt from; the handbook's protocol needs a trained package"), delayMs)
                : PlainWindow(parsed.GetValue(from), parsed.GetValue(to));
            var needed = isHandbook ? new TimeWindow(training!.Value.FromMs, window.ToMs) : window;
            var table = await Progress.RunAsync(TimeProvider.System, progress =>
                FeatureTables.ReadAsync(service, plan, parsed.GetRequiredValue(history), needed, progress, cancellation));
            var rows = isHandbook ? HandbookProtocol.TestRows(table, training!.Value, delayMs) : table.Labelled(window);
            if (rows.Count == 0)
            {
                throw new TrainerException(ExitCode.Data, $"no labelled transaction in {window}");
            }

            var scores = parsed.GetValue(given) is { } file ? new PackageScores(Given(file, table, rows), [], []) : PackageScores.Of(ensemble, table, rows);
            var report = Judge(scores.Probabilities);
            if (parsed.GetValue(json))
            {
                var figures = report.Figures.ToDictionary(figure => figure.Key, figure => double.IsFinite(figure.Value) ? figure.Value : (double?)null, StringComparer.Ordinal);
                Console.Out.WriteLine(JsonSerializer.Serialize(figures));
            }
            else
            {
                List<(string, EvaluationReport)> lines = [("this package", report)];
                if (scores.Trees.Length > 0)
                {
                    lines.AddRange([("its trees alone", Judge(scores.Trees)), ("its network alone", Judge(scores.Network))]);
                }

                Write(lines, window, isHandbook && training == HandbookProtocol.PublishedTraining);
            }

            return ExitCode.Ok;

            EvaluationReport Judge(double[] probabilities) => EvaluationReport.Of(TrainingRun.Scored(table, rows, probabilities));
        });
        return command;
    }

    private static TimeWindow? TrainingWindow(PackageManifest manifest) => manifest.Training is { } training
        ? new(training.From.ToUnixTimeMilliseconds(), training.To.ToUnixTimeMilliseconds())
        : null;

    private static TimeWindow PlainWindow(DateTimeOffset? from, DateTimeOffset? to) => from is { } begin && to is { } end
        ? CommonOptions.Window(begin, end)
        : throw new TrainerException(ExitCode.Usage, "the plain protocol needs --from and --to");

    private static double[] Given(string path, FeatureTable table, List<int> rows)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such file of scores");
        }

        var scores = new Dictionary<string, double>(StringComparer.Ordinal);
        int lineNumber = 1;
        foreach (string line in File.ReadLines(path).Skip(1))
        {
            lineNumber++;
            int comma = line.LastIndexOf(',');
            if (comma < 1 || !double.TryParse(line.AsSpan(comma + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double score) || !double.IsFinite(score))
            {
                throw new TrainerException(ExitCode.Data, string.Create(CultureInfo.InvariantCulture, $"{path} line {lineNumber}: not transaction_id,score"));
            }

            scores[line[..comma].Trim('"')] = score;
        }

        return [.. rows.Select(row => scores.TryGetValue(table.TransactionId(row), out double score)
            ? score
            : throw new TrainerException(ExitCode.Data, $"{path}: no score for a transaction of the window; {rows.Count} are needed"))];
    }

    // The first line is the package's, those of its components follow.
    private static void Write(List<(string Name, EvaluationReport Report)> lines, TimeWindow window, bool isPublishedSplit)
    {
        Console.Out.WriteLine($"{"window",-36}{window}");
        foreach (var (name, value) in lines[0].Report.Figures)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-36}{value:0.######}"));
        }

        Console.Out.WriteLine();
        Console.Out.WriteLine($"{"",-36}{"AUC ROC",8}{"AP",8}{"CP@100",8}");
        foreach (var (name, report) in lines)
        {
            Line(name, report.AreaUnderRoc, report.AveragePrecision, report.CardPrecision);
        }

        foreach (var model in isPublishedSplit ? HandbookProtocol.Published : [])
        {
            Line(model.Name, model.AreaUnderRoc, model.AveragePrecision, model.CardPrecision);
        }

        static void Line(string name, double auc, double ap, double cp) =>
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-36}{auc,8:0.000}{ap,8:0.000}{cp,8:0.000}"));
    }
}
