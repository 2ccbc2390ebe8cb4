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
}
