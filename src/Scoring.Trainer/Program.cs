using System.CommandLine;
using System.CommandLine.Parsing;
using Scoring.Models.Ensembles;
using Scoring.Trainer.Commands;

namespace Scoring.Trainer;

/// <summary>The trainer's command line.</summary>
internal static class Program
{
    /// <summary>Between a signal and the end at all costs: a challenger's training is given up at its next step, on a busy machine seconds later.</summary>
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs one verb. Data goes to standard output, messages to standard error.</summary>
    /// <returns>See <see cref="ExitCode"/>.</returns>
    public static async Task<int> Main(string[] args)
    {
        OnnxRuntimeEnvironment.EnsureQuiet();
        var root = new RootCommand("Trains, judges and packs the models that the worker scores with.")
        {

            ImportCommand.Create(),
            FeaturesCommand.Create(),
            TrainCommand.Create(),
            TuneCommand.Create(),
            TuneNetworkCommand.Create(),
            EvaluateCommand.Create(),
            ScoreCommand.Create(),
            ModelsCommand.Create(),
            WatchCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                string name = error.SymbolResult is OptionResult { Option.Name: var option } && !error.Message.Contains(option, StringComparison.Ordinal) ? option + ": " : "";
                Console.Error.WriteLine(name + error.Message);
            }

            Console.Error.WriteLine($"see: {string.Join(' ', args.TakeWhile(arg => !arg.StartsWith('-')).Append("--help"))}");
            return ExitCode.Usage;
        }

        using var stopping = new CancellationTokenSource();
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TerminationTimeout }, stopping.Token);
        }
        catch (TrainerException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("interrupted");
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Output;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"internal error, please report it: {e}");
            return ExitCode.Internal;
        }
    }
}
