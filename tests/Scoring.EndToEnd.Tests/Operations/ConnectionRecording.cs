using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>One of our programs, and every address that it or a child of it turns to while it runs.</summary>
/// <remarks>
/// <para>By <c>strace</c> where that is installed and may trace: every attempt is seen. Else by looking at the kernel's tables of sockets
/// every few milliseconds: what lasts is seen, a name server asked in passing may not be.</para>
/// <para>The variables that silence libraries are taken out of the environment (<c>CI</c> is one of them), and proxies are named on which
/// nobody but this class listens: a library that calls home by a proxy is seen too.</para>
/// </remarks>
internal sealed partial class ConnectionRecording : IAsyncDisposable
{
    private static readonly string[] Silencers = ["CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "DOTNET_CLI_TELEMETRY_OPTOUT"];
    private static readonly string[] Proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    private static readonly Lazy<bool> CanTrace = new(TryTrace);

    private readonly TestFolder folder = new();
    private readonly TcpListener proxy = new(IPAddress.Loopback, 0);
    private readonly HashSet<IPEndPoint> seen = [];
    private readonly CancellationTokenSource ended = new();
    private readonly Task watching;

    private ConnectionRecording(string assembly, IEnumerable<string> arguments)
    {
        proxy.Start();
        Program = OwnProgram.Start(assembly, arguments, start =>
        {
            foreach (string name in Silencers)
            {
                start.Environment.Remove(name);
            }

            foreach (string name in Proxies)
            {
                start.Environment[name] = $"http://{proxy.LocalEndpoint}";
            }

            if (CanTrace.Value)
            {
                // The tracer is a grandchild: signals and the exit code are the program's own.
                string[] traced = ["-D", "-f", "-q", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", TraceFile, start.FileName, .. start.ArgumentList];
                start.FileName = "strace";
                start.ArgumentList.Clear();
                Array.ForEach(traced, start.ArgumentList.Add);
            }
        });
        watching = CanTrace.Value ? Task.CompletedTask : WatchAsync();
    }

    /// <summary>How connections are seen, for the test's output.</summary>
    public static string Way => CanTrace.Value ? "every attempt, by strace" : "what /proc shows every 20 ms";

    /// <summary>The program.</summary>
    public OwnProgram Program { get; }

    private string TraceFile => folder.File("trace");

    /// <summary>Starts a program of ours.</summary>
    public static ConnectionRecording Start(string assembly, params IEnumerable<string> arguments) => new(assembly, arguments);

    /// <summary>Where the program turned to, when it has ended.</summary>
    public async Task<IReadOnlyCollection<IPEndPoint>> ContactsAsync(CancellationToken cancellation)
    {
        Assert.True(Program.HasEnded);
        await ended.CancelAsync();
        await watching;
        if (CanTrace.Value)
        {
            await ReadTraceAsync(cancellation);
        }

        Assert.False(proxy.Pending(), "somebody asked for a proxy");
        return seen;
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        await ended.CancelAsync();
        await watching;
        ended.Dispose();
        proxy.Dispose();
        folder.Dispose();
    }

    private static bool TryTrace()
    {
        try
        {
            using var trace = Process.Start(new ProcessStartInfo("strace", ["-D", "-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            trace.WaitForExit();
            return trace.ExitCode == 0 && trace.StandardError.ReadToEnd().Length == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // Not installed.
        }
    }

    private async Task ReadTraceAsync(CancellationToken cancellation)
    {
        // The tracer writes the program's end last, a moment after it.
        string self = string.Create(CultureInfo.InvariantCulture, $"{Program.Id} ");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        string[] lines;
        do
        {
            await timer.WaitForNextTickAsync(cancellation);
            lines = await File.ReadAllLinesAsync(TraceFile, cancellation);
        }
        while (!lines.Any(line => line.StartsWith(self, StringComparison.Ordinal) && line.Contains(" +++ ", StringComparison.Ordinal)));

        foreach (var address in lines.Select(line => Address().Match(line)).Where(match => match.Success))
        {
            seen.Add(new IPEndPoint(Plain(IPAddress.Parse(address.Groups["address"].Value)), int.Parse(address.Groups["port"].Value, CultureInfo.InvariantCulture)));
        }
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!ended.IsCancellationRequested)
        {
            foreach (int process in SocketTables.Family(Program.Id))
            {
                seen.UnionWith(SocketTables.Remotes(process).Select(remote => new IPEndPoint(Plain(remote.Address), remote.Port)));
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    [GeneratedRegex("""^\d+ +(connect|sendto|sendmsg|sendmmsg)\(.*sin6?_port=htons\((?<port>\d+)\).*?"(?<address>[0-9a-fA-F.:]+)"[,)]""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Address();
}
