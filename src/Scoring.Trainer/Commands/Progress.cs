using System.Globalization;
using Spectre.Console;

namespace Scoring.Trainer.Commands;

/// <summary>Says on standard error how far a verb is: bars in a terminal, a line per step otherwise.</summary>
internal static class Progress
{
    /// <summary>Runs work that reports steps by name with the share done, 0 to 1.</summary>
    public static async Task<T> RunAsync<T>(TimeProvider clock, Func<Action<string, double>, Task<T>> work)
    {
        if (Console.IsErrorRedirected)
        {
            return await work(new LineProgress(clock, Console.Error).Report);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context =>
            {
                var bars = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
                return work((step, share) =>
                {
                    if (!bars.TryGetValue(step, out var bar))
                    {
                        bars[step] = bar = context.AddTask(Markup.Escape(step), maxValue: 1);
                    }

                    bar.Value = share;
                });
            });
    }

    private sealed class LineProgress(TimeProvider clock, TextWriter output)
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

        private string current = "";
        private long lastLine;

        // A line when a step begins, when it ends, and every five seconds between.
        public void Report(string step, double share)
        {
            bool isNew = !string.Equals(step, current, StringComparison.Ordinal);
            if (isNew || share >= 1 || clock.GetElapsedTime(lastLine) >= Interval)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step}: {share:P0}"));
                current = step;
                lastLine = clock.GetTimestamp();
            }
        }
    }
}
