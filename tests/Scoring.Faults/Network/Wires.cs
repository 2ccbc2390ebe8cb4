using System.Globalization;

namespace Scoring.Faults.Network;

/// <summary>A wire for each of the two workers, and what the only broker must be told, so that each worker finds it at the end of its own.</summary>
/// <remarks>The broker has a listener for each wire, and tells whoever comes by it the address of the wire's other end. Everybody else goes directly.</remarks>
internal sealed class Wires : IAsyncDisposable
{
    private static readonly string[] Names = ["w1", "w2"];

    private readonly SortedDictionary<string, Wire> wires = new(StringComparer.Ordinal);

    /// <summary>Makes them.</summary>
    /// <param name="port">The broker's own; its further listeners come a hundred above.</param>
    public Wires(int port)
    {
        var listeners = new List<string> { $"PLAINTEXT://127.0.0.1:{Text(port)}" };
        List<string> advertised = [.. listeners];
        var protocols = new List<string> { "PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT" };
        foreach (string name in Names)
        {
            int brokerPort = port + 100 + wires.Count;
            var wire = new Wire(brokerPort);
            wires.Add(name, wire);
            string listener = name.ToUpperInvariant();
            listeners.Add($"{listener}://127.0.0.1:{Text(brokerPort)}");
            advertised.Add($"{listener}://127.0.0.1:{Text(wire.Port)}");
            protocols.Add($"{listener}:PLAINTEXT");
        }

        listeners.Add($"CONTROLLER://127.0.0.1:{Text(port + 10_000)}");
        Settings =
        [
            $"listeners={string.Join(',', listeners)}",
            $"advertised.listeners={string.Join(',', advertised)}",
            $"listener.security.protocol.map={string.Join(',', protocols)}",
            "inter.broker.listener.name=PLAINTEXT",
        ];
    }

    /// <summary>What the broker must be set to.</summary>
    public IReadOnlyList<string> Settings { get; }

    /// <summary>A worker's.</summary>
    public Wire this[string worker] => wires[worker];

    /// <summary>Where a worker connects.</summary>
    public string ServersOf(string worker) => $"127.0.0.1:{Text(wires[worker].Port)}";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var wire in wires.Values)
        {
            await wire.DisposeAsync();
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
