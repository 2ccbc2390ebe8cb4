namespace Scoring.Worker.Verification;

/// <summary>How a service is verified.</summary>
internal sealed record VerificationOptions
{
    /// <summary>Consumer group whose committed offsets say what is done.</summary>
    public required string Group { get; init; }

    /// <summary>Whether the worker publishes at least once: the same answer twice, and answers ahead of the commit, are then right.</summary>
    public bool AllowsDuplicates { get; init; }

    /// <summary>Whether there are labels to read.</summary>
    public bool ReadsLabels { get; init; }

    /// <summary>Longest to wait for Kafka transactions that are open.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(30);
}
