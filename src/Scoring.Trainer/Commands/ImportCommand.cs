using System.CommandLine;
using System.Globalization;
using Scoring.Trainer.History;

namespace Scoring.Trainer.Commands;

/// <summary><c>import</c>: from a customer's file to a history.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var input = new Option<string>("--input", "-i") { Description = ".csv, .jsonl, .ndjson or .json (each may be .gz), or .parquet", Required = true };
        var labels = new Option<string>("--labels") { Description = "file of labels, as they come on the labels topic; they overrule outcomes in the rows" };
        var output = CommonOptions.Output("history to write, a Parquet file; refused rows go to OUTPUT.rejects.jsonl");
        var command = new Command("import", "Reads recorded events through a definition and writes a history for training.") { definition, input, labels, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            string inputPath = Existing(parsed.GetRequiredValue(input));
            string? labelsPath = parsed.GetValue(labels) is { } path ? Existing(path) : null;
            string outputPath = parsed.GetRequiredValue(output);
            File.Delete(outputPath + ".rejects.jsonl");
            using var rejects = new ImportRejects(outputPath + ".rejects.jsonl", Console.Error);
            var import = new HistoryImport(service, TimeProvider.System.GetUtcNow());
            var summary = await Progress.RunAsync(TimeProvider.System, progress => import.RunAsync(inputPath, labelsPath, outputPath, rejects, progress, cancellation));
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"imported {summary.Rows} transactions, {DateTimeOffset.FromUnixTimeMilliseconds(summary.FirstMs):yyyy-MM-dd HH:mm:ss} to {DateTimeOffset.FromUnixTimeMilliseconds(summary.LastMs):yyyy-MM-dd HH:mm:ss} UTC; {summary.Labelled} labelled, {summary.Frauds} frauds; {rejects.Count} refused; {summary.LabelsWithoutTransaction} labels without transaction"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Existing(string path) =>
        File.Exists(path) ? path : throw new TrainerException(ExitCode.NoInput, $"{path}: no such file");
}
