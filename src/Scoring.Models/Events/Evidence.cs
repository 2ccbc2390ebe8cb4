namespace Scoring.Models.Events;

/// <summary>One feature's part in the score of an alert.</summary>
public sealed record Evidence
{
    /// <summary>The feature.</summary>
    public required string Feature { get; init; }

    /// <summary>Its value as the model sees it (float); null where it is missing.</summary>
    public required double? Value { get; init; }

    /// <summary>What it added to the log-odds of fraud; below 0 where it speaks against it.</summary>
    public required double Contribution { get; init; }

    /// <summary>A sentence for analysts.</summary>
    public required string Text { get; init; }
}
