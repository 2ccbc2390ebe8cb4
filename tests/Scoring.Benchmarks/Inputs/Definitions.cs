using Scoring.Models.Definitions;

namespace Scoring.Benchmarks.Inputs;

/// <summary>The repository's definitions, which the build copies beside the program.</summary>
internal static class Definitions
{
    /// <summary>Path of a definition file.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "definitions", name);

    /// <summary>Reads one that is good.</summary>
    /// <exception cref="InvalidOperationException">It has faults.</exception>
    public static ServiceDefinition Read(ReadOnlySpan<byte> json)
    {
        var reading = ServiceDefinitionReader.Read(json);
        return reading.Definition ?? throw new InvalidOperationException(string.Join('\n', reading.Faults));
    }

    /// <summary>The definition of our own contract.</summary>
    public static ServiceDefinition CardPayments() => Read(File.ReadAllBytes(PathOf("card-payments.json")));

    /// <summary>Three keys of an account's own, 21 counts and sums over three windows: a plain velocity service.</summary>
    public static ReadOnlySpan<byte> Velocity => """
        {
          "service": "velocity",
          "events": {},
          "entities": {
            "account": { "key": ["account_id"], "key_bytes_max": 16, "events_max": 16 },
            "account_device": { "key": ["account_id", "device_id"], "key_bytes_max": 24, "events_max": 16 },
            "account_currency": { "key": ["account_id", "currency"], "key_bytes_max": 24, "events_max": 16 }
          },
          "features": [
            { "name": "a1", "entity": "account", "aggregate": "count", "window": "1h" },
            { "name": "a2", "entity": "account", "aggregate": "count", "window": "6h" },
            { "name": "a3", "entity": "account", "aggregate": "count", "window": "24h" },
            { "name": "a4", "entity": "account", "aggregate": "sum", "of": "amount", "window": "1h" },
            { "name": "a5", "entity": "account", "aggregate": "sum", "of": "amount", "window": "6h" },
            { "name": "a6", "entity": "account", "aggregate": "sum", "of": "amount", "window": "24h" },
            { "name": "a7", "entity": "account", "aggregate": "time_since_last" },
            { "name": "d1", "entity": "account_device", "aggregate": "count", "window": "1h" },
            { "name": "d2", "entity": "account_device", "aggregate": "count", "window": "6h" },
            { "name": "d3", "entity": "account_device", "aggregate": "count", "window": "24h" },
            { "name": "d4", "entity": "account_device", "aggregate": "sum", "of": "amount", "window": "1h" },
            { "name": "d5", "entity": "account_device", "aggregate": "sum", "of": "amount", "window": "6h" },
            { "name": "d6", "entity": "account_device", "aggregate": "sum", "of": "amount", "window": "24h" },
            { "name": "d7", "entity": "account_device", "aggregate": "time_since_last" },
            { "name": "c1", "entity": "account_currency", "aggregate": "count", "window": "1h" },
            { "name": "c2", "entity": "account_currency", "aggregate": "count", "window": "6h" },
            { "name": "c3", "entity": "account_currency", "aggregate": "count", "window": "24h" },
            { "name": "c4", "entity": "account_currency", "aggregate": "sum", "of": "amount", "window": "1h" },
            { "name": "c5", "entity": "account_currency", "aggregate": "sum", "of": "amount", "window": "6h" },
            { "name": "c6", "entity": "account_currency", "aggregate": "sum", "of": "amount", "window": "24h" },
            { "name": "c7", "entity": "account_currency", "aggregate": "time_since_last" }
          ]
        }
        """u8;
}
