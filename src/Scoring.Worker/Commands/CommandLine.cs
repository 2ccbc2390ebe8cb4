using System.CommandLine;
using Scoring.Worker.Demo;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Commands;

/// <summary>The verbs, and what the process says when one ends.</summary>
internal static class CommandLine
{
    /// <summary>How long a verb may take to stop after SIGTERM or Ctrl-C.</summary>
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Runs one verb.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="output">Data.</param>
    /// <param name="error">Messages.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("FraudScoring: scores payments from Kafka for fraud.")
        {
            RunCommand.Create(),
            ScoreCommand.Create(),
            ValidateCommand.Create(),
            SchemaCommand.Create(),
            TopicsCommand.Create(),
            ReplayCommand.Create(),
            InspectCommand.Create(),
            HealthCommand.Create(),
            VerifyCommand.Create(),
            DemoCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors)
            {
                await error.WriteLineAsync(problem.Message);
            }

            await error.WriteLineAsync("See --help.");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TerminationTimeout,
            });
        }
        catch (CommandFailure failure)
        {
            await error.WriteLineAsync(failure.Message);
            return failure.ExitCode;
        }
        catch (LaneFailure failure)
        {
            await error.WriteLineAsync(failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Ok;
        }
        catch (Exception mistake) // The last edge: whatever it is, the exit code says that it is ours.
        {
            await error.WriteLineAsync($"internal error: {mistake}");
            return ExitCode.Internal;
        }
    }
}
