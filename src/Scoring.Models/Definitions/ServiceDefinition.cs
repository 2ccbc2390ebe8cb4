using System.Collections.ObjectModel;

namespace Scoring.Models.Definitions;

/// <summary>One customer's service: how its events map to ours, and what is computed, decided and published. A JSON file, no code.</summary>
/// <remarks>Read and checked by <see cref="ServiceDefinitionReader"/>; an instance from there is valid.</remarks>
public sealed record ServiceDefinition
{
    /// <summary>Name of the service: 1 to 40 of <c>a-z 0-9 -</c>. Part of topic names and consumer groups.</summary>
    public required string Service { get; init; }

    /// <summary>Version of this file, counted up by its author.</summary>
    public int Version { get; init; } = 1;

    /// <summary>What the service is for, for readers.</summary>
    public string? Description { get; init; }

    /// <summary>How transactions are found in the customer's events.</summary>
    public required EventMapping Events { get; init; }

    /// <summary>How labels are found, and when they count.</summary>
    public LabelMapping Labels { get; init; } = new();

    /// <summary>What behaviour is kept for: accounts, merchants, pairs. By name.</summary>
    public IReadOnlyDictionary<string, EntityDefinition> Entities { get; init; } = ReadOnlyDictionary<string, EntityDefinition>.Empty;

    /// <summary>The features, in the order of the model's input.</summary>
    public IReadOnlyList<FeatureDefinition> Features { get; init; } = [];

    /// <summary>Predicates that decide beside the model, in order.</summary>
    public IReadOnlyList<RuleDefinition> Rules { get; init; } = [];

    /// <summary>When to review and when to decline.</summary>
    public PolicyDefinition Policy { get; init; } = new();

    /// <summary>Which model scores.</summary>
    public ModelDefinition Model { get; init; } = new();

    /// <summary>Names of the topics.</summary>
    public TopicDefinition Topics { get; init; } = new();

    /// <summary>What becomes of a transaction that is sent again; without it each is a transaction of its own.</summary>
    public DuplicateDefinition? Duplicates { get; init; }

    /// <summary>What late and future events are.</summary>
    public TimeDefinition Time { get; init; } = new();

    /// <summary>SHA-256 of the file's canonical JSON (members sorted, no white space), lower-case hex; empty when the definition was not read from JSON. Names the definition on every score.</summary>
    public string Digest { get; init; } = "";
}
