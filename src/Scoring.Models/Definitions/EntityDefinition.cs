namespace Scoring.Models.Definitions;

/// <summary>What behaviour is kept for.</summary>
public sealed record EntityDefinition
{
    /// <summary>Text fields that make the key, joined in order: <c>["account_id"]</c>, <c>["account_id", "merchant_id"]</c>. An event that lacks one has no such entity: its features are missing.</summary>
    public required IReadOnlyList<string> Key { get; init; }

    /// <summary>Whether the entity is seen from more than one partition (its key is not the partition key). Its features then read settled panes.</summary>
    public SharedDefinition? Shared { get; init; }

    /// <summary>Most keys per input partition; the one unused for longest goes first. Default 1,000,000.</summary>
    public int KeysMax { get; init; } = 1_000_000;

    /// <summary>Most bytes of a key; an event with a longer one is refused. 8 to 256, default 64.</summary>
    public int KeyBytesMax { get; init; } = 64;

    /// <summary>Events kept per key for exact windows: a power of two, 8 to 8,192. When a window holds more, the oldest are given up and counted. Default 64.</summary>
    public int EventsMax { get; init; } = 64;
}

/// <summary>How an entity that several partitions see is added up (DESIGN 8: settled panes).</summary>
public sealed record SharedDefinition
{
    /// <summary>Length of a pane. Panes are sparse: short ones cost no more than the events. Default 1 minute.</summary>
    public TimeSpan Pane { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A feature reads panes that closed at least this long before the event. Default 10 seconds.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(10);
}
