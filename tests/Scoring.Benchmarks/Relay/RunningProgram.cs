using System.Diagnostics;
using System.Globalization;

namespace Scoring.Benchmarks.Relay;

/// <summary>A .NET program in a process of its own, ended when this is disposed of; what it said last is kept for an error.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process process;
    private readonly string name;
    private readonly Queue<string> said = new();

    /// <summary>Starts it.</summary>
    /// <param name="program">A .NET program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables besides those of this process, each NAME=VALUE.</param>
    public RunningProgram(string program, IEnumerable<string> arguments, params IEnumerable<string> environment)
    {
        name = Path.GetFileName(program);
        process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", [program, .. arguments])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            },
        };
        foreach (string variable in environment)
        {
            string[] parts = variable.Split('=', 2);
            process.StartInfo.Environment[parts[0]] = parts[^1];
        }

        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>CPU time it has taken.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Memory it has in use, bytes.</summary>
    public long WorkingSetBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken stopping)
    {
        await using var running = new RunningProgram(program, arguments);
        await running.process.WaitForExitAsync(stopping);
        if (running.process.ExitCode != 0)
        {
            throw running.Failure(string.Create(CultureInfo.InvariantCulture, $"ended with {running.process.ExitCode}"));
        }
    }

    /// <summary>Makes sure that it runs.</summary>
    /// <exception cref="InvalidOperationException">It has ended by itself.</exception>
    public void ThrowIfEnded()
    {
        if (process.HasExited)
        {
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"ended with {process.ExitCode}"));
        }
    }

    /// <summary>An error of it, with what it said.</summary>
    public InvalidOperationException Failure(string what)
    {
        lock (said)
        {
            return new InvalidOperationException($"{name} {what}:\n{string.Join('\n', said)}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (said)
        {
            if (line is not null)
            {
                said.Enqueue(line);
            }

            while (said.Count > 20)
            {
                said.Dequeue();
            }
        }
    }
}
