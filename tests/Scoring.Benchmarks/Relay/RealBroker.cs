using System.CommandLine;

namespace Scoring.Benchmarks.Relay;

/// <summary>The broker that a verb was given; the embedded one will not do for a measurement.</summary>
internal static class RealBroker
{
    /// <summary>Exit code where none was given: <c>EX_UNAVAILABLE</c> of sysexits.</summary>
    public const int Missing = 69;

    /// <summary>Its bootstrap servers; null where none was given, which is told.</summary>
    public static string? Of(ParseResult parsed, Option<string?> bootstrap)
    {
        if (parsed.GetValue(bootstrap) is { Length: > 0 } servers)
        {
            return servers;
        }

        parsed.InvocationConfiguration.Error.WriteLine($"{parsed.CommandResult.Command.Name} needs a real broker, named by --bootstrap or KAFKA_BOOTSTRAP_SERVERS.");
        return null;
    }
}
