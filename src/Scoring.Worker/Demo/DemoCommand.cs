using System.CommandLine;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Demo;

/// <summary><c>demo</c>: broker, worker, trainer, payments and their labels on this machine, in one command.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var defaults = new DemoOptions();
        var accounts = Count("--accounts", "Simulated accounts", defaults.Accounts, 1_000, 20_000);
        var rate = Count("--rate", "Live payments per second", defaults.Rate, 100, 10_000);
        var seed = Count("--seed", "Seed of the simulated world", defaults.Seed, 0, int.MaxValue);
        var keep = new Option<bool>("--keep") { Description = "Keep the folder with payments, labels, scores, models, keys and logs." };
        var command = new Command("demo", "Shows everything at work on simulated payments: nothing to install, nothing left behind.") { accounts, rate, seed, keep };
        command.SetAction(async (parsed, stopping) =>
        {
            await Task.Yield(); // Ctrl-C is heeded from the first await on, and must not find a folder before.
            var options = new DemoOptions
            {
                Accounts = parsed.GetValue(accounts),
                Rate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed),
                Keep = parsed.GetValue(keep),
            };
            var screen = new DemoScreen(parsed.InvocationConfiguration.Output, isTerminal: !Console.IsOutputRedirected);
            try
            {
                return await new DemoRun(options, screen, TimeProvider.System).RunAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                screen.Say("Stopped before live traffic began; nothing is left running.");
                return ExitCode.Ok;
            }
        });
        return command;
    }

    private static Option<int> Count(string name, string description, int defaultValue, int min, int max)
    {
        var option = new Option<int>(name) { Description = FormattableString.Invariant($"{description}, {min} to {max}."), DefaultValueFactory = _ => defaultValue };
        option.Validators.Add(result =>
        {
            int value = result.GetValueOrDefault<int>();
            if (value < min || value > max)
            {
                result.AddError(FormattableString.Invariant($"{name} {value}: {min} to {max}"));
            }
        });
        return option;
    }
}
