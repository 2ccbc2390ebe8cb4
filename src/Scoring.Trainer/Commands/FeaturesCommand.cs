using System.CommandLine;
using System.Globalization;
using System.Text;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Trainer.History;

namespace Scoring.Trainer.Commands;

/// <summary><c>features</c>: the feature vectors of a stretch of history.</summary>
internal static class FeaturesCommand
{
    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var from = CommonOptions.Time("--from", "first event time", required: true);
        var to = CommonOptions.Time("--to", "end, excluded", required: true);
        var output = CommonOptions.Output("CSV file: transaction_id, then the features as doubles that read back the same; empty is missing");
        var command = new Command("features", "Computes the feature vectors of a stretch of history, before they are rounded to float.") { definition, history, from, to, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var window = CommonOptions.Window(parsed.GetRequiredValue(from)!.Value, parsed.GetRequiredValue(to)!.Value);
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            await using var reader = await HistoryReader.OpenAsync(parsed.GetRequiredValue(history), plan.Schema, cancellation);
            using var replay = new HistoryReplay(plan, service.Labels.Delay, keepExact: true);
            await using var csv = new StreamWriter(parsed.GetRequiredValue(output));
            await csv.WriteLineAsync($"transaction_id,{string.Join(',', plan.FeatureNames)}");
            int rowCount = await Progress.RunAsync(TimeProvider.System, async progress =>
            {
                int written = 0;
                var line = new StringBuilder();
                await foreach (var chunk in replay.RunAsync(reader, window, share => progress("computing features", share), cancellation))
                {
                    foreach (int row in chunk.Asked())
                    {
                        written++;
                        line.Clear().Append(CsvText.Quote(Encoding.UTF8.GetString(chunk.Rows.Batch.TransactionIds[row])));
                        foreach (double value in chunk.Features.ExactRow(row))
                        {
                            line.Append(',');
                            if (!double.IsNaN(value))
                            {
                                line.Append(CultureInfo.InvariantCulture, $"{value:R}");
                            }
                        }

                        csv.WriteLine(line);
                    }
                }

                return written;
            });
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {rowCount} feature vectors of plan {plan.Digest}"));
            return ExitCode.Ok;
        });
        return command;
    }
}
