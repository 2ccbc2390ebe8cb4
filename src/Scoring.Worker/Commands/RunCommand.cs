using System.CommandLine;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Commands;

/// <summary><c>run</c>: the worker.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var command = new Command("run", "Scores transactions from Kafka until it is told to stop (SIGTERM, Ctrl-C).");
        var options = SettingsOptions.AddTo(command).AddServing(command).AddRunning(command);
        command.SetAction(async (parsed, stopping) =>
        {
            NativeHeap.KeepFreed();
            var settings = options.Read(parsed);
            using var logging = Logging.Create(settings.Operations);
            return await WorkerProcess.RunAsync(settings, TimeProvider.System, logging, stopping);
        });
        return command;
    }
}
