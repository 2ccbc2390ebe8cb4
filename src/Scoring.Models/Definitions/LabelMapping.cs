namespace Scoring.Models.Definitions;

/// <summary>When labels count, and where a recorded history holds them.</summary>
public sealed record LabelMapping
{
    /// <summary>A label counts from <c>transaction time + delay</c> on, whenever it arrived before that. Default 7 days.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromDays(7);

    /// <summary>For histories whose rows carry their outcome: the member that holds it.</summary>
    public string? Path { get; init; }

    /// <summary>The values of <see cref="Path"/> that mean fraud, as they stand in the JSON (<c>1</c>, <c>true</c>, <c>"fraud"</c>). Default <c>1</c> and <c>true</c>.</summary>
    public IReadOnlyList<string> FraudValues { get; init; } = ["1", "true"];

    /// <summary>Most recent transactions a partition keeps to join labels that name nothing but their transaction. Default 100,000.</summary>
    public int RecentTransactionsMax { get; init; } = 100_000;
}
