using System.Diagnostics;
using System.Globalization;

namespace Scoring.Faults.Service;

/// <summary>The worker's program as a process of its own; what it prints goes to a file.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process process;
    private readonly StreamWriter log;
    private readonly Lock gate = new();

    private Child(Process process, string name, string logPath)
    {
        this.process = process;
        Name = name;
        LogPath = logPath;
        log = new StreamWriter(logPath, append: true) { AutoFlush = true };
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Its name in the group.</summary>
    public string Name { get; }

    /// <summary>Where what it prints stands, after what earlier processes of the name printed.</summary>
    public string LogPath { get; }

    /// <summary>Whether it owned partitions or was about to: it has told its group's name.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>Where it answers; null while it does not.</summary>
    public Uri? Address { get; private set; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>Starts the program.</summary>
    /// <param name="name">In the group; also names the file.</param>
    /// <param name="folder">Of the file.</param>
    /// <param name="arguments">Verb first.</param>
    /// <param name="variables">What its environment holds beside ours.</param>
    public static Child Start(string name, string folder, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Scoring.Worker.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (variable, value) in variables ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[variable] = value;
        }

        return new Child(new Process { StartInfo = start }, name, Path.Combine(folder, $"{name}.log"));
    }

    /// <summary>Runs a verb to its end.</summary>
    /// <returns>Its exit code and what it printed to standard output.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string logPath, IEnumerable<string> arguments, CancellationToken stopping)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Scoring.Worker.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var verb = Process.Start(start)!;
        var output = verb.StandardOutput.ReadToEndAsync(stopping);
        var errors = verb.StandardError.ReadToEndAsync(stopping);
        await verb.WaitForExitAsync(stopping);
        await File.AppendAllTextAsync(logPath, await output + await errors, stopping);
        return (verb.ExitCode, await output);
    }

    /// <summary>Sends it a signal by name, such as <c>STOP</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync(CancellationToken stopping)
    {
        await process.WaitForExitAsync(stopping);
        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
        lock (gate)
        {
            log.Dispose();
        }
    }

    // "... answer at http://127.0.0.1:1234", within a line of JSON.
    private static Uri? AddressIn(string line)
    {
        const string before = "Metrics and health answer at ";
        int at = line.IndexOf(before, StringComparison.Ordinal);
        return at < 0 ? null : new Uri(line[(at + before.Length)..].Split('"', ' ')[0]);
    }

    private void Write(string? line)
    {
        lock (gate)
        {
            if (line is not null && log.BaseStream is { CanWrite: true })
            {
                log.WriteLine(line);
                Address ??= AddressIn(line);
                HasSpoken |= line.Contains("lanes over", StringComparison.Ordinal);
            }
        }
    }
}
