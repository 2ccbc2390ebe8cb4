using Scoring.Faults.Rows;

namespace Scoring.Faults.Measuring;

/// <summary>What came of a row.</summary>
internal sealed record RowResult
{
    /// <summary>The row.</summary>
    public required FaultRow Row { get; init; }

    /// <summary>Faults that hit.</summary>
    public required int Injections { get; init; }

    /// <summary>Transactions sent.</summary>
    public required long Events { get; init; }

    /// <summary>What <c>verify</c> said; null where it said nothing.</summary>
    public required Verdict? Verdict { get; init; }

    /// <summary>How often a worker ended with 69 and was started again.</summary>
    public required int AskedForRestart { get; init; }

    /// <summary>Longest time between two scores of one partition.</summary>
    public required TimeSpan LongestSilence { get; init; }

    /// <summary>What was not as it must be, beside what <c>verify</c> counts; a line each.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <summary>Whether all is as it must be.</summary>
    public bool IsGood => Faults.Count == 0 && Verdict is { IsGood: true };
}
