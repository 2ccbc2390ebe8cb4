using Scoring.Benchmarks.Measuring;
namespace Scoring.Benchmarks.Relay;
internal static class RelayRatio { public static Task<Ratio> RunAsync(string servers, FileInfo worker, bool isQuick, CancellationToken stopping) => throw new NotSupportedException(); }
