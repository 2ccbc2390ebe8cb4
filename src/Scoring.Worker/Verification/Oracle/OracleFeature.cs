using Scoring.Models.Definitions;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>One feature of the definition with its fields found and its times in milliseconds.</summary>
internal sealed class OracleFeature
{
    /// <summary>Reads a feature.</summary>
    /// <param name="index">Its place in the definition.</param>
    /// <param name="feature">The feature.</param>
    /// <param name="definition">Its definition.</param>
    /// <param name="schema">Columns of the events.</param>
    public OracleFeature(int index, FeatureDefinition feature, ServiceDefinition definition, EventSchema schema)
    {
        Index = index;
        Name = feature.Name;
        Aggregate = feature.Aggregate;
        OfLabels = Aggregate.StartsWith("label_", StringComparison.Ordinal);
        Entity = feature.Entity;
        IsExact = feature.Exact;
        OfName = feature.Of;
        Of = feature.Of is { } of ? new OracleField(schema, of) : null;
        With = feature.With is { } with ? new OracleField(schema, with) : null;
        Values = feature.Values ?? [];
        Hours = feature.Hours ?? [0, 5];
        LengthMs = feature.Window is { } window ? (long)window.TotalMilliseconds : null;
        long ownDelayMs = (long)(feature.Delay ?? TimeSpan.Zero).TotalMilliseconds;
        long labelDelayMs = OfLabels ? (long)definition.Labels.Delay.TotalMilliseconds : 0;
        DelayMs = Math.Max(ownDelayMs, labelDelayMs);
        BeyondLabelDelayMs = DelayMs - labelDelayMs;
        Empty = feature.Empty ?? (Aggregate is "count" or "sum" or "distinct" or "run_length" or "label_count" or "label_rate" ? 0 : double.NaN);
        Where = feature.Where is { } text ? Predicate.Parse(text, PredicateScope.ForWhere(schema)).Predicate : null;
        if (Where is not null && Where.Names.Any(PredicateScope.WindowStatistics.Contains))
        {
            bool hasValue = Aggregate is not ("count" or "distinct" or "label_rate" or "label_count") && Of is not null && LengthMs is not null;
            MeasuredBefore = hasValue ? Of : new OracleField(schema, "amount");
        }
    }

    /// <summary>Place in the definition.</summary>
    public int Index { get; }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Aggregate, as the definition writes it.</summary>
    public string Aggregate { get; }

    /// <summary>Whether it looks at labels.</summary>
    public bool OfLabels { get; }

    /// <summary>Entity; null for a feature of the event alone.</summary>
    public string? Entity { get; }

    /// <summary>Whether every event of the window is kept (no panes).</summary>
    public bool IsExact { get; }

    /// <summary>Field that is aggregated.</summary>
    public OracleField? Of { get; }

    /// <summary>Its name.</summary>
    public string? OfName { get; }

    /// <summary>Second field of a mismatch.</summary>
    public OracleField? With { get; }

    /// <summary>Members of a membership.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>First and last hour of a night, both included.</summary>
    public IReadOnlyList<int> Hours { get; }

    /// <summary>Length of the window, ms; null for all that is kept.</summary>
    public long? LengthMs { get; }

    /// <summary>How far the window is shifted into the past, ms; the labels' delay included.</summary>
    public long DelayMs { get; }

    /// <summary>How much of <see cref="DelayMs"/> is beyond the labels' own, ms.</summary>
    public long BeyondLabelDelayMs { get; }

    /// <summary>Value when there is nothing to aggregate.</summary>
    public double Empty { get; }

    /// <summary>Which events are counted; null for all.</summary>
    public Predicate? Where { get; }

    /// <summary>The field whose median and mean the filter compares with; null where it does not look at the window before.</summary>
    public OracleField? MeasuredBefore { get; }

    /// <summary>Longest look into the past, ms; null when it has no end.</summary>
    public long? ReachMs => LengthMs + DelayMs;

    /// <summary>
    /// How far back the input has to be known for its value to be, ms; null for all of it. When a key was seen first its state knows however long ago that was: a window
    /// only bounds what is told. A filter that compares with a window looks at the one before each event that it passes.
    /// </summary>
    public long? KnownFromMs => string.Equals(Aggregate, "first_seen", StringComparison.Ordinal) ? null : MeasuredBefore is null ? ReachMs : 2 * ReachMs;

    /// <summary>Whether two values must be equal to the last digit: whole numbers are.</summary>
    public bool IsCounted => Aggregate is "count" or "distinct" or "run_length" or "label_count" or "hour" or "weekday" or "weekend" or "night" or "membership" or "mismatch";
}
