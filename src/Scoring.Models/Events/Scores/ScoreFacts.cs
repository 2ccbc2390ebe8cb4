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

    /// <summary>With <see cref="Degradation.StaleAggregates"/>: by how much event time the slowest partition was behind, ms; <see cref="long.MaxValue"/> for one that had never spoken.</summary>
    public long AggregatesBehindMs { get; init; }

    /// <summary>When the score was made, ms since 1970 UTC.</summary>
    public required long ScoredAtMs { get; init; }

    /// <summary>From the arrival of the transaction to its score, ms; told to the microsecond.</summary>
    public required double ProcessingMs { get; init; }

    /// <summary>The numbers that score and alert tell, apart from the row: all that is needed to tell them again.</summary>
    /// <param name="template">Of the model that scored.</param>
    /// <param name="reasons">Room for <see cref="ReasonCodes.Most"/>.</param>
    public KeptAnswer Keep(ScoreTemplate template, Span<Reason> reasons)
    {
        var decision = Decisions.Decisions[Row];
        Span<KeptReason> kept = stackalloc KeptReason[ReasonCodes.Most];
        int count = template.ReasonCodes.Pick(decision, Decisions.RuleHits[Row], Contributions, reasons);
        for (int i = 0; i < count; i++)
        {
            var reason = reasons[i];
            kept[i] = new KeptReason((short)reason.RuleIndex, (short)reason.FeatureIndex, reason.FeatureIndex < 0 ? float.NaN : Features.Get(Row, reason.FeatureIndex), reason.Contribution);
        }

        return new KeptAnswer(kept[..count])
        {
            Score = Score,
            TreesScore = TreesScore,
            NetworkScore = NetworkScore,
            RuleHits = Decisions.RuleHits[Row],
            ShadowHits = Decisions.ShadowHits[Row],
            ScoredAtMs = ScoredAtMs,
            AggregatesBehindMs = AggregatesBehindMs,
            AnswererNumber = template.Answerer.Number,
            Decision = decision,
            Degradation = Degradation,
        };
    }
}
