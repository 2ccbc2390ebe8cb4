namespace Scoring.Benchmarks.Measuring;

/// <summary>One side of a contest.</summary>
/// <param name="Name">What runs.</param>
/// <param name="Sweep">Goes once through all of its inputs, at least 4,096 different ones, and returns how many they were.</param>
internal sealed record Side(string Name, Func<int> Sweep);
