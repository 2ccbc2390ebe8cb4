using System.CommandLine;
using System.Globalization;
using System.Text;
using Scoring.Models.Ensembles;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Trainer.History;

namespace Scoring.Trainer.Commands;

/// <summary><c>score</c>: what a package says about a stretch of history, offline.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var package = CommonOptions.Package();
        var keys = CommonOptions.PublicKeys();
        var from = CommonOptions.Time("--from", "first event time to score", required: true);
        var to = CommonOptions.Time("--to", "end of what is scored, excluded", required: true);
        var output = CommonOptions.Output("CSV file: transaction_id, score (a double that reads back the same)");
        var command = new Command("score", "Scores a stretch of history offline, through the worker's own engine.") { definition, history, package, keys, from, to, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var window = CommonOptions.Window(parsed.GetRequiredValue(from)!.Value, parsed.GetRequiredValue(to)!.Value);
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            using var ensemble = CommonOptions.ReadEnsemble(parsed.GetRequiredValue(package), parsed.GetRequiredValue(keys), service, plan);
            var scores = new EnsembleScores(HistoryColumns.RowsPerGroup);
            await using var reader = await HistoryReader.OpenAsync(parsed.GetRequiredValue(history), plan.Schema, cancellation);
            using var replay = new HistoryReplay(plan, service.Labels.Delay, keepExact: false);
            await using var csv = new StreamWriter(parsed.GetRequiredValue(output));
            await csv.WriteLineAsync("transaction_id,score");
            int rowCount = await Progress.RunAsync(TimeProvider.System, async progress =>
            {
                int written = 0;
                await foreach (var chunk in replay.RunAsync(reader, window, share => progress("scoring", share), cancellation))
                {
                    ensemble.Score(chunk.Features, chunk.EndRow, scores);
                    foreach (int row in chunk.Asked())
                    {
                        written++;
                        string id = Encoding.UTF8.GetString(chunk.Rows.Batch.TransactionIds[row]);
                        csv.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{CsvText.Quote(id)},{scores.Probability[row]:R}"));
                    }
                }

                return written;
            });
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"scored {rowCount} transactions with {ensemble.Name} {ensemble.Version} ({ensemble.Sha256})"));
            return ExitCode.Ok;
        });
        return command;
    }
}
