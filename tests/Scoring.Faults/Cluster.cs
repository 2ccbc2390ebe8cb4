using System.Diagnostics;
using System.Globalization;
using Scoring.Faults.Network;

namespace Scoring.Faults;

/// <summary>A Kafka: one that runs already, or one of our own that a control script starts and whose brokers it kills, pauses and restarts.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly FileInfo? script;
    private readonly string folder = "";

    /// <summary>One that runs already.</summary>
    public Cluster(string bootstrapServers) => BootstrapServers = bootstrapServers;

    private Cluster(FileInfo script, string folder, string bootstrapServers, Wires? wires)
        : this(bootstrapServers)
    {
        Wires = wires;
        this.script = script;
        this.folder = folder;
    }

    /// <summary>Where clients connect.</summary>
    public string BootstrapServers { get; }

    /// <summary>The workers' ways to it; null where they go directly.</summary>
    public Wires? Wires { get; }

    /// <summary>Whether it stays when this program ends, so that somebody can look.</summary>
    public bool IsKept { get; set; }

    /// <summary>How to remove it by hand; empty for one that is not ours.</summary>
    public string HowToWipe => script is null ? "" : $"{script.FullName} --dir {folder} wipe";

    /// <summary>Starts one in a folder of its own.</summary>
    /// <param name="script">Controls it.</param>
    /// <param name="port">The first broker's.</param>
    /// <param name="brokerCount">1 or 3.</param>
    /// <param name="isWired">Whether each worker gets a wire of its own to the only broker.</param>
    /// <param name="stopping">Ends the waiting.</param>
    /// <exception cref="InvalidOperationException">The script failed; its words are in the message.</exception>
    public static async Task<Cluster> StartAsync(FileInfo script, int port, int brokerCount, bool isWired, CancellationToken stopping)
    {
        var wires = isWired ? new Wires(port) : null;
        string dir = Directory.CreateTempSubdirectory("fraudscoring-kafka-").FullName;
        IEnumerable<string> start = ["start", "--port", Text(port), "--brokers", Text(brokerCount), .. wires?.Settings.SelectMany(setting => (string[])["--set", setting]) ?? []];
        await CallAsync(script, dir, start, stopping);
        string servers = await CallAsync(script, dir, ["bootstrap"], stopping);
        return new Cluster(script, dir, servers.Trim(), wires);
    }

    /// <summary>Does something to a broker: <c>kill</c>, <c>restart</c>, <c>pause</c> or <c>resume</c>.</summary>
    /// <param name="call">Which.</param>
    /// <param name="broker">From 1.</param>
    /// <param name="stopping">Ends the waiting.</param>
    public Task DoAsync(string call, int broker, CancellationToken stopping) => CallAsync(script!, folder, [call, Text(broker)], stopping);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (script is not null && !IsKept)
        {
            await CallAsync(script, folder, ["wipe"], CancellationToken.None);
        }

        if (Wires is not null)
        {
            await Wires.DisposeAsync();
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> CallAsync(FileInfo control, string dir, IEnumerable<string> arguments, CancellationToken stopping)
    {
        var start = new ProcessStartInfo(control.FullName) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["--dir", dir, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(stopping);
        var errors = process.StandardError.ReadToEndAsync(stopping);
        await process.WaitForExitAsync(stopping);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{string.Join(' ', start.ArgumentList)}: {await output}{await errors}");
    }
}
