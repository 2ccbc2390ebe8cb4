namespace Scoring.Worker.Configuration;

/// <summary>How partitions tell each other about shared entities. Section <c>Aggregates</c>.</summary>
internal sealed record AggregatesOptions
{
    /// <summary>Time between publications in live traffic, ms, 50 to 10,000. Default 1,000. While history is read they follow event time instead.</summary>
    public int PublishIntervalMs { get; init; } = 1_000;

    /// <summary>Longest a lane that reads history waits for the other partitions without any of them moving, s, 1 to 3,600. Default 60; then it goes on and marks its scores.</summary>
    public int WaitSecondsMax { get; init; } = 60;

    /// <summary>An event at most this old is live traffic: it never waits, and its score is marked when others are behind; s, 0 to 86,400. Default 60.</summary>
    public int LiveSeconds { get; init; } = 60;
}
