using System.CommandLine;
using Prometheus;
using Scoring.Models.Ensembles;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Commands;

/// <summary><c>score</c>: what a worker would say about a recorded file, without Kafka.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var command = new Command("score", "Scores the events of a file as a worker would: scores as JSON lines on standard output, refused events on standard error.");
        var file = new Argument<string>("FILE") { Description = "Events: .jsonl, .json or .csv, each also .gz." };
        var deadLetters = new Option<FileInfo?>("--dead-letters") { Description = "Where refused events go, as JSON lines; default: standard error." };
        var target = new Option<FileInfo?>("--output", "--out") { Description = "Where scores go, as JSON lines; default: standard output." };
        command.Add(file);
        command.Add(deadLetters);
        command.Add(target);
        var options = SettingsOptions.AddTo(command).AddServing(command);
        command.SetAction(parsed =>
        {
            var settings = options.Read(parsed);
            string path = parsed.GetValue(file)!;
            OnnxRuntimeEnvironment.EnsureQuiet();
            using var logging = Logging.Create(settings.Operations);
            var metrics = new WorkerMetrics(Metrics.NewCustomRegistry());
            var service = new Service(ModelLoader.ReadDefinition(settings.Serving.Definition), new ModelSlot());
            ModelLoader.Load(settings.Serving, service, TimeProvider.System, metrics, logging.CreateLogger("fraudscoring"));
            using var scorer = new FileScorer(service, settings, TimeProvider.System, metrics, logging.CreateLogger("fraudscoring"));
            try
            {
                using var refused = parsed.GetValue(deadLetters) is { } letters ? new StreamWriter(letters.FullName) : null;
                using var output = parsed.GetValue(target) is { } scores ? scores.Create() : Console.OpenStandardOutput();
                return scorer.Run(path, output, refused ?? parsed.InvocationConfiguration.Error);
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                throw new CommandFailure(ExitCode.Output, $"the scores of {path} are not all written: {full.Message}", full);
            }
        });
        return command;
    }
}
