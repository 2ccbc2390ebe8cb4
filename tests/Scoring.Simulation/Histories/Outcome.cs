using System.Globalization;

namespace Scoring.Simulation.Histories;

/// <summary>What came of a history.</summary>
internal sealed record Outcome
{
    /// <summary>Its seed.</summary>
    public required int Seed { get; init; }

    /// <summary>What is not as it must be; none for a good one.</summary>
    public required IReadOnlyList<string> Violations { get; init; }

    /// <summary>Of all that happened and all that stands on topics.</summary>
    public required ulong Hash { get; init; }

    /// <summary>How long it was by its own clock, s.</summary>
    public required double Seconds { get; init; }

    /// <summary>Things that happened.</summary>
    public required long Events { get; init; }

    /// <summary>Input records.</summary>
    public required long Records { get; init; }

    /// <summary>Feature values compared with the oracle's.</summary>
    public required long Values { get; init; }

    /// <summary>Workers that ended by themselves with 69, which a supervisor starts again.</summary>
    public required int Unavailable { get; init; }

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsGood => Violations.Count == 0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {(IsGood ? "good" : string.Join("; ", Violations))} ({Records} records, {Values} values, {Seconds:F1} s, {Events} events, {Hash:x16})");
}
