namespace Scoring.Models.Events;

/// <summary>Why a payment was decided as it was: a feature that raised the score, or a rule that decided.</summary>
public sealed record ReasonCode
{
    /// <summary>Stable code in capitals: what the feature or rule declares, or its name.</summary>
    public required string Code { get; init; }

    /// <summary>The feature; null for a rule.</summary>
    public required string? Feature { get; init; }

    /// <summary>Whether it speaks for fraud or against it.</summary>
    public required ReasonDirection Direction { get; init; }

    /// <summary>What it added to the log-odds of fraud; null for a rule.</summary>
    public required double? Contribution { get; init; }

    /// <summary>A sentence for analysts.</summary>
    public required string Text { get; init; }

    /// <summary>The feature's value as the model sees it (float); null where it is missing, and for a rule.</summary>
    public required double? Value { get; init; }
}

/// <summary>Which way a reason points.</summary>
public enum ReasonDirection
{
    /// <summary>It raises the suspicion.</summary>
    Increases,

    /// <summary>It lowers the suspicion: a rule that approves.</summary>
    Decreases,
}
