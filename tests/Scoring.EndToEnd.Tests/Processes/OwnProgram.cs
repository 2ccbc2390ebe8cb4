using System.Diagnostics;
using System.Text;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Processes;

/// <summary>The worker or the trainer as a process of its own, as in production. Killed when the test leaves it running.</summary>
internal sealed class OwnProgram : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();

    private OwnProgram(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Everything it printed so far, messages last.</summary>
    public string Printed
    {
        get
        {
            lock (output)
            {
                lock (errors)
                {
                    return $"{output}{errors}";
                }
            }
        }
    }

    /// <summary>What it printed to standard output.</summary>
    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    public static OwnProgram StartWorker(params IEnumerable<string> arguments) => Start("Scoring.Worker", arguments);

    /// <summary>Runs a verb of the worker to its end.</summary>
    public static Task<string> WorkerAsync(params IEnumerable<string> arguments) => RunAsync("Scoring.Worker", arguments);

    /// <summary>Runs a verb of the trainer to its end.</summary>
    public static Task<string> TrainerAsync(params IEnumerable<string> arguments) => RunAsync("Scoring.Trainer", arguments);

    /// <summary>A program in the output folder of its own project, with the libraries that it comes with and no others.</summary>
    /// <remarks>Beside the tests it would miss what their own framework brings and its does not.</remarks>
    /// <param name="assembly">Its name, and that of its project.</param>
    /// <param name="folder">Where the project lies.</param>
    public static string PathOf(string assembly, string folder = "src") =>
        Path.Combine(RepositoryFiles.Root, folder, assembly, Path.GetRelativePath(Path.Combine(RepositoryFiles.Root, "tests", "Scoring.EndToEnd.Tests"), AppContext.BaseDirectory), assembly + ".dll");

    /// <summary>Starts a program of ours; <paramref name="change"/> may give it another environment or run it under another program.</summary>
    public static OwnProgram Start(string assembly, IEnumerable<string> arguments, Action<ProcessStartInfo>? change = null) => StartAt(PathOf(assembly), arguments, change);

    /// <summary>Starts the fault matrix.</summary>
    public static OwnProgram StartFaults(params IEnumerable<string> arguments) => StartAt(PathOf("Scoring.Faults", "tests"), arguments, change: null);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    /// <summary>Sends it a signal, such as <c>STOP</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Asks it to stop, as a service is stopped, and waits.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await EndAsync();
    }

    /// <summary>SIGKILL: no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private static OwnProgram StartAt(string path, IEnumerable<string> arguments, Action<ProcessStartInfo>? change)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.ArgumentList.Add(path);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        change?.Invoke(start);
        return new OwnProgram(new Process { StartInfo = start });
    }

    private static async Task<string> RunAsync(string assembly, IEnumerable<string> arguments)
    {
        await using var program = Start(assembly, arguments);
        int code = await program.EndAsync();
        Assert.True(code == 0, $"{assembly} {string.Join(' ', arguments)} ended with {code}:\n{program.Printed}");
        return program.Output;
    }

    private static void Append(StringBuilder builder, string? line)
    {
        if (line is not null)
        {
            lock (builder)
            {
                builder.AppendLine(line);
            }
        }
    }
}
