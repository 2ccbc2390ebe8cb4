using System.Diagnostics;
using System.Globalization;

namespace Scoring.Benchmarks.Relay;

/// <summary>What one process did with a topic.</summary>
/// <param name="EventsPerSecond">By the clock on the wall.</param>
/// <param name="CpuSecondsPerMillion">CPU time of the process for a million events.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct Throughput(double EventsPerSecond, double CpuSecondsPerMillion);

/// <summary>Runs a process that turns one topic into another, and measures it over the second half of the way.</summary>
/// <remarks>The first half pays for the start: joining the group, the JIT, state and memory that grow. What was acknowledged is what the broker's end offsets say.</remarks>
internal static class Contender
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestStandstill = TimeSpan.FromSeconds(60);

    /// <summary>Starts the process, waits until the output is complete, and ends the process.</summary>
    /// <param name="program">A .NET program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="count">Records in the output now.</param>
    /// <param name="due">Records when it is complete.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <param name="ask">Asked when the output is complete, before the process is ended.</param>
    /// <param name="environment">Variables of the process, each NAME=VALUE.</param>
    /// <exception cref="InvalidOperationException">The process ended by itself, or stood still.</exception>
    public static async Task<Throughput> RunAsync(string program, IEnumerable<string> arguments, Func<long> count, long due, CancellationToken stopping, Func<Task>? ask = null, params IEnumerable<string> environment)
    {
        await using var process = new RunningProgram(program, arguments, environment);
        Sample? first = null;
        var last = new Sample(0, Stopwatch.GetTimestamp(), TimeSpan.Zero);
        while (last.Count < due)
        {
            await Task.Delay(Between, stopping);
            process.ThrowIfEnded();
            var now = new Sample(count(), Stopwatch.GetTimestamp(), process.CpuTime);
            if (now.Count > last.Count)
            {
                last = now;
                first ??= now.Count >= due / 2 ? now : null;
            }
            else if (Stopwatch.GetElapsedTime(last.Timestamp) > LongestStandstill)
            {
                throw process.Failure(string.Create(CultureInfo.InvariantCulture, $"stands still at {last.Count} of {due} records"));
            }
        }

        if (first is not { } start || start.Count == last.Count)
        {
            throw process.Failure("was done before it could be measured: more events are due");
        }

        if (ask is not null)
        {
            await ask();
        }

        long events = last.Count - start.Count;
        return new Throughput(
            events / Stopwatch.GetElapsedTime(start.Timestamp, last.Timestamp).TotalSeconds,
            (last.Cpu - start.Cpu).TotalSeconds * 1e6 / events);
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Sample(long Count, long Timestamp, TimeSpan Cpu);
}
