using System.CommandLine;
namespace Scoring.Benchmarks.Relay;
internal static class RelayProcess { public static Command Create() => new("relay"); }
