using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Scoring.Trainer.Tests.Watching;

/// <summary>What the verb says before it turns to a broker.</summary>
public sealed class WatchVerbTests : IDisposable
{
    private readonly Workshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public async Task A_taken_metrics_address_is_said_in_a_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");
        var outcome = await WatchAsync(address);
        Assert.Equal(78, outcome.ExitCode);
        Assert.StartsWith($"--metrics {address}: ", outcome.Error.Trim(), StringComparison.Ordinal);
        Assert.EndsWith("; choose another address, or port 0 for a free one", outcome.Error.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_metrics_address_without_a_port_is_said_in_a_line()
    {
        var outcome = await WatchAsync("localhost");
        Assert.Equal(64, outcome.ExitCode);
        Assert.Contains("--metrics localhost: write HOST:PORT", outcome.Error, StringComparison.Ordinal);
    }

    private async Task<Workshop.Outcome> WatchAsync(string metrics)
    {
        await workshop.DoAsync("models", "keygen", "-o", "@me");
        return await workshop.RunAsync("watch", "-d", "@shop.json", "--data", "@data", "--key", "@me.key.pem", "--verification-key", "@me.pub.pem", "--metrics", metrics);
    }
}
