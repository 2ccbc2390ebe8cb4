using System.CommandLine;
using System.Globalization;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary>The validation weeks that settings are compared on.</summary>
internal sealed class TuneWindows
{
    private readonly Option<string[]> starts = new("--train-from") { Description = "first days of the training windows, e.g. 2018-06-20 2018-06-27", Required = true, AllowMultipleArgumentsPerToken = true };
    private readonly Option<int> days = CommonOptions.Count("--train-days", "days of each training window", 7, 1, 366);

    /// <summary>An option of which several values are compared.</summary>
    public static Option<T[]> Grid<T>(string name, string description, T defaultValue) => new(name)
    {
        Description = description + "; several to compare",
        DefaultValueFactory = _ => [defaultValue],
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The stretch of time whose features are needed: the windows and their tests.</summary>
    public static TimeWindow Needed(IReadOnlyList<TimeWindow> windows, long labelDelayMs) =>
        new(windows.Min(window => window.FromMs), windows.Max(window => HandbookProtocol.Test(window, labelDelayMs).ToMs));

    public void AddTo(Command command)
    {
        command.Add(starts);
        command.Add(days);
    }

    /// <summary>The windows that were asked for.</summary>
    /// <exception cref="TrainerException">A day is none.</exception>
    public IReadOnlyList<TimeWindow> Read(ParseResult parsed) =>
        [.. parsed.GetRequiredValue(starts).Select(text => Window(text, parsed.GetValue(days)))];

    private static TimeWindow Window(string text, int days)
    {
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var from))
        {
            throw new TrainerException(ExitCode.Usage, $"--train-from {text}: not a day; write 2018-06-20");
        }

        return CommonOptions.Window(from, from.AddDays(days));
    }
}
