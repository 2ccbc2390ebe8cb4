using System.Text.Json.Serialization;
using Scoring.Models.Decisions;

namespace Scoring.Models.Events;

/// <summary>The answer to one transaction (<c>fraud.scores.v1</c>): one per transaction, always.</summary>
/// <remarks>Everything before <see cref="ScoredAt"/> depends on nothing but the input, the model and the definition.</remarks>
public record Score
{
    /// <summary>The transaction.</summary>
    public required string TransactionId { get; init; }

    /// <summary>Its account.</summary>
    public required string AccountId { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset EventTime { get; init; }

    /// <summary>Calibrated probability of fraud, 0 to 1; null when no model scored.</summary>
    [JsonPropertyName("score")]
    public required double? Probability { get; init; }

    /// <summary>What to do.</summary>
    public required Decision Decision { get; init; }

    /// <summary>The thresholds that were applied; null when no model gives any.</summary>
    public required Thresholds? Thresholds { get; init; }

    /// <summary>The model that scored; null when none did.</summary>
    public required ScoreModel? Model { get; init; }

    /// <summary>Calibrated probabilities of the components.</summary>
    public required ComponentScores ComponentScores { get; init; }

    /// <summary>Names of the rules that hit.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>Names of the shadow rules that hit; they decided nothing.</summary>
    public required IReadOnlyList<string> ShadowRules { get; init; }

    /// <summary>Up to 4 reasons, the most important first.</summary>
    public required IReadOnlyList<ReasonCode> ReasonCodes { get; init; }

    /// <summary>Whether something was missing that a healthy service has.</summary>
    public required bool Degraded { get; init; }

    /// <summary>What: <c>rules_only</c>, <c>trees_only</c>, <c>stale_aggregates</c>, several joined by a comma in this order; null when nothing.</summary>
    public required string? DegradedReason { get; init; }

    /// <summary>There only with <c>stale_aggregates</c>: by how much event time the slowest partition was behind what shared features look at, seconds; null for one that had never spoken.</summary>
    public double? AggregatesBehindSeconds { get; init; }

    /// <summary>The service definition that was applied.</summary>
    public required ScoreDefinition Definition { get; init; }

    /// <summary>Where the transaction stands in its topic.</summary>
    public required ScoreSource Source { get; init; }

    /// <summary>There only on the answer to a transaction that was sent again: where the one stands that this repeats the answer of. No alert comes with it.</summary>
    public ScoreSource? DuplicateOf { get; init; }

    /// <summary>The feature vector by name, as exact doubles; null values are missing. There only when the service emits features.</summary>
    public IReadOnlyDictionary<string, double?>? Features { get; init; }

    /// <summary>When the score was made, UTC.</summary>
    public required DateTimeOffset ScoredAt { get; init; }

    /// <summary>From the arrival of the transaction to its score, ms.</summary>
    public required double ProcessingMs { get; init; }
}

/// <summary>The model package that scored.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Sha256">Digest of the package, lower-case hex.</param>
public sealed record ScoreModel(string Name, string Version, string Sha256);

/// <summary>Calibrated probabilities of a model's components, 0 to 1; null where there is no such component or it was not asked.</summary>
/// <param name="Trees">Of the trees.</param>
/// <param name="Network">Of the network.</param>
public sealed record ComponentScores(double? Trees, double? Network);

/// <summary>The service definition that was applied.</summary>
/// <param name="Version">Counted up by its author.</param>
/// <param name="Sha256">Digest of its canonical JSON, lower-case hex.</param>
public sealed record ScoreDefinition(int Version, string Sha256);

/// <summary>Where a transaction stands in its topic.</summary>
/// <param name="Partition">Partition.</param>
/// <param name="Offset">Offset.</param>
public sealed record ScoreSource(int Partition, long Offset);
