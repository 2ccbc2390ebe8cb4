using Scoring.Models.Events;

namespace Scoring.Trainer.Labels;

/// <summary>One label as it was recorded.</summary>
internal sealed record LabelRecord
{
    /// <summary>Identifies the label.</summary>
    public required string LabelId { get; init; }

    /// <summary>The transaction that it speaks of.</summary>
    public required string TransactionId { get; init; }

    /// <summary>The transaction's account.</summary>
    public required string AccountId { get; init; }

    /// <summary>1 fraud, 0 honest, -1 when nobody can tell.</summary>
    public required sbyte IsFraud { get; init; }

    /// <summary>Who says so.</summary>
    public LabelSource Source { get; init; }

    /// <summary>When it was reported, ms since 1970 UTC; where the label does not say, when it came to the topic.</summary>
    public required long ReportedAtMs { get; init; }

    /// <summary>Time of the transaction, where the label names it.</summary>
    public long? TransactionTimeMs { get; init; }

    /// <summary>The label that this one corrects.</summary>
    public string? Supersedes { get; init; }

    /// <summary>Partition of the topic that it came from.</summary>
    public int Partition { get; init; }

    /// <summary>Its offset.</summary>
    public long Offset { get; init; }
}
