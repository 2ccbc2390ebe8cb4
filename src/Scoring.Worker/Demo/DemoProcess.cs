using System.Diagnostics;
using System.Runtime.InteropServices;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Demo;

/// <summary>A process of the demo: its lines go to a log file, and it never outlives the demo.</summary>
internal sealed partial class DemoProcess : IAsyncDisposable
{
    private const int TailLines = 12;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(12);

    private readonly Process process;
    private readonly StreamWriter log;
    private readonly Action<string>? onLine;
    private readonly Queue<string> tail = new();
    private readonly Lock gate = new();
    private readonly EventHandler killAtExit;

    private DemoProcess(string name, ProcessStartInfo start, string logPath, Action<string>? onLine)
    {
        Name = name;
        this.onLine = onLine;
        log = new StreamWriter(logPath) { AutoFlush = true };
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        killAtExit = (_, _) => Kill();
        AppDomain.CurrentDomain.ProcessExit += killAtExit;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it is, for messages.</summary>
    public string Name { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>Its last lines.</summary>
    public string Tail
    {
        get
        {
            lock (gate)
            {
                return string.Join('\n', tail);
            }
        }
    }

    /// <summary>Starts one of our programs.</summary>
    /// <param name="program">Assembly name of the program: <c>Scoring.Worker</c> or <c>Scoring.Trainer</c>.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Where it runs and where its log goes.</param>
    /// <param name="onLine">Told of every line it writes.</param>
    public static DemoProcess Start(string program, IEnumerable<string> arguments, DemoFolder folder, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(HostPath)
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(FindProgram(program));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        string verb = start.ArgumentList[1];
        return new DemoProcess($"{program} {verb}", start, folder.In($"{program}-{verb}.log"), onLine);
    }

    /// <summary>Runs one of our programs to its end.</summary>
    /// <exception cref="CommandFailure">It ended with another code than 0; the message holds its last lines.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, DemoFolder folder, Action<string>? onLine, CancellationToken stopping)
    {
        await using var run = Start(program, arguments, folder, onLine);
        await run.process.WaitForExitAsync(stopping);
        stopping.ThrowIfCancellationRequested(); // Ctrl-C in a terminal ends it too, and that is no failure.
        if (run.process.ExitCode != 0)
        {
            throw run.Ended();
        }
    }

    /// <summary>Says so when the process has ended although it is needed.</summary>
    /// <exception cref="CommandFailure">It has ended; the message holds its last lines.</exception>
    public void ThrowIfEnded()
    {
        if (process.HasExited)
        {
            throw Ended();
        }
    }

    /// <summary>Asks the process to drain as an operator would (SIGTERM), and ends it if it does not.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (!process.HasExited)
        {
            if (OperatingSystem.IsWindows() || Signal(process.Id, SigTerm) != 0)
            {
                Kill();
            }

            using var patience = new CancellationTokenSource(DrainTimeout);
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit -= killAtExit;
        process.Dispose();
        await log.DisposeAsync();
    }

    // The dotnet that runs this very process, wherever it is installed and however it was started.
    private static string HostPath => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    /// <summary>Beside this program (published, or below a test), or in the output folder of its own project with the same configuration.</summary>
    private static string FindProgram(string program)
    {
        string beside = Path.Combine(AppContext.BaseDirectory, program + ".dll");
        if (File.Exists(beside))
        {
            return beside;
        }

        string here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        const string ThisProject = "Scoring.Worker";
        int at = here.LastIndexOf(Path.DirectorySeparatorChar + ThisProject + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        string sibling = at < 0 ? beside : Path.Combine(here[..at], program, here[(at + ThisProject.Length + 2)..], program + ".dll");
        return File.Exists(sibling)
            ? sibling
            : throw new CommandFailure(ExitCode.NoInput, $"{program}.dll is neither at {beside} nor at {sibling}; build the solution");
    }

    private CommandFailure Ended() => new(ExitCode.Internal, FormattableString.Invariant($"{Name} ended with code {process.ExitCode}; its last lines:\n{Tail}"));

    private void Kill()
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended between the question and the kill.
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (gate)
        {
            log.WriteLine(line);
            tail.Enqueue(line);
            if (tail.Count > TailLines)
            {
                tail.Dequeue();
            }
        }

        onLine?.Invoke(line);
    }

    private const int SigTerm = 15;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Signal(int processId, int signal);
}
