using Scoring.Models.Events;

namespace Scoring.Worker.Verification;

/// <summary>What stands on the output topics for one input record.</summary>
internal sealed class Answer
{
    /// <summary>The transaction, as score or alert name it.</summary>
    public string? TransactionId { get; set; }

    /// <summary>The score; the first where there are several; null where there is none.</summary>
    public ScoreReading? Score { get; set; }

    /// <summary>Scores.</summary>
    public int ScoreCount { get; set; }

    /// <summary>Whether two scores say different things.</summary>
    public bool ScoresDiffer { get; set; }

    /// <summary>Dead letters.</summary>
    public int DeadLetterCount { get; set; }

    /// <summary>Code of the dead letter.</summary>
    public string? DeadLetterCode { get; set; }

    /// <summary>Whether it is a dead letter of a stated code, and no score.</summary>
    public bool IsRefusedAs(RefusalCode code) => Score is null && string.Equals(DeadLetterCode, RefusalTexts.Wire(code), StringComparison.Ordinal);

    /// <summary>Alerts.</summary>
    public int AlertCount { get; set; }

    /// <summary>Whether the input record was met.</summary>
    public bool HasInput { get; set; }
}

/// <summary>What a score says that can be checked.</summary>
internal sealed class ScoreReading
{
    /// <summary>Probability; NaN where no model scored.</summary>
    public required double Probability { get; init; }

    /// <summary>Time of its event, ms since 1970 UTC; null where it tells none.</summary>
    public required long? EventTimeMs { get; init; }

    /// <summary><c>approve</c>, <c>review</c> or <c>decline</c>.</summary>
    public required string Decision { get; init; }

    /// <summary>Review from here on; null where no thresholds were applied.</summary>
    public required double? Review { get; init; }

    /// <summary>Decline from here on; null where no thresholds were applied.</summary>
    public required double? Decline { get; init; }

    /// <summary>Digest of the model package; null where none scored.</summary>
    public required string? ModelSha256 { get; init; }

    /// <summary>Digest of the definition.</summary>
    public required string? DefinitionSha256 { get; init; }

    /// <summary>What was missing, as the score says it; null when nothing.</summary>
    public required string? DegradedReason { get; init; }

    /// <summary>Rules that hit, in the order of the definition, joined by commas.</summary>
    public required string Rules { get; init; }

    /// <summary>Shadow rules that hit.</summary>
    public required string ShadowRules { get; init; }

    /// <summary>Feature values in the order of the definition, NaN for missing; null where the score carries none.</summary>
    public double[]? Features { get; set; }

    /// <summary>Where the one stands whose answer it says again; null for a transaction that came for the first time.</summary>
    public required ScoreSource? DuplicateOf { get; init; }

    /// <summary>Hash of everything before <c>scored_at</c>: what is published again is the same to there.</summary>
    public required UInt128 Digest { get; init; }

    /// <summary>Whether other partitions had not been heard in time.</summary>
    public bool IsStale => DegradedReason?.Contains("stale_aggregates", StringComparison.Ordinal) == true;
}
