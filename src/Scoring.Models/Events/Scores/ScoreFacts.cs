using Scoring.Models.Decisions;
using Scoring.Models.Features;

namespace Scoring.Models.Events.Scores;

/// <summary>Everything about one row that its score and alert tell.</summary>
public readonly ref struct ScoreFacts
{
    /// <summary>The transactions.</summary>
    public required TransactionBatch Batch { get; init; }

    /// <summary>The row of all that follows.</summary>
    public required int Row { get; init; }

    /// <summary>The features; they keep exact values where the writer emits them.</summary>
    public required FeatureBlock Features { get; init; }

    /// <summary>The decisions.</summary>
    public required DecisionBatch Decisions { get; init; }

    /// <summary>Calibrated probability of fraud; NaN when no model scored.</summary>
    public required double Score { get; init; }

    /// <summary>The trees' part; NaN when there is none.</summary>
    public required double TreesScore { get; init; }

    /// <summary>The network's part; NaN when there is none.</summary>
    public required double NetworkScore { get; init; }

    /// <summary>What each feature added to the log-odds of fraud; empty when it was not explained.</summary>
    public ReadOnlySpan<double> Contributions { get; init; }

    /// <summary>Log-odds before any feature; NaN (as 0 contributions) when it was not explained. Only alerts tell it.</summary>
    public double BaseLogOdds { get; init; }

    /// <summary>What was missing.</summary>
    public Degradation Degradation { get; init; }

    /// <summary>When the score was made, ms since 1970 UTC.</summary>
    public required long ScoredAtMs { get; init; }

    /// <summary>From the arrival of the transaction to its score, ms; told to the microsecond.</summary>
    public required double ProcessingMs { get; init; }
}
