namespace Scoring.Models.Definitions;

/// <summary>One feature: an aggregate over an entity's window, or a stateless value of the event.</summary>
public sealed record FeatureDefinition
{
    /// <summary>Name: 1 to 64 of <c>A-Z a-z 0-9 _</c>, unique. Also the model's input name.</summary>
    public required string Name { get; init; }

    /// <summary>Entity of an aggregate; none for a stateless feature.</summary>
    public string? Entity { get; init; }

    /// <summary>
    /// Aggregates: count, sum, mean, std, min, max, median, distinct, time_since_last, ratio_to_mean, ratio_to_median, ratio_to_spread,
    /// first_seen, run_length, label_count, label_rate, label_run_age, label_gap, label_time_since_honest, label_hazard, distance_from_last, speed_from_last.
    /// Stateless: value, log, hour, weekday, weekend, night, membership, mismatch, age.
    /// </summary>
    public required string Aggregate { get; init; }

    /// <summary>Field that is aggregated. <c>amount</c> is <c>amount_minor</c> in major units of its currency.</summary>
    public string? Of { get; init; }

    /// <summary>Second field of a <c>mismatch</c>.</summary>
    public string? With { get; init; }

    /// <summary>Length of the window <c>(t - window, t]</c>, which includes the current event.</summary>
    public TimeSpan? Window { get; init; }

    /// <summary>Shifts the window into the past: <c>(t - delay - window, t - delay]</c>. Label aggregates shift by <see cref="LabelMapping.Delay"/> unless this says more.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Exact event ring (true, default) or panes of window / 32 (false).</summary>
    public bool Exact { get; init; } = true;

    /// <summary>Predicate on the event that is counted, in the rule language: <c>channel == "ecommerce"</c>, <c>amount &gt; 3 * median</c>.</summary>
    public string? Where { get; init; }

    /// <summary>Values of a <c>membership</c>: 1 when the field is one of them.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>First and last hour of <c>night</c>, both included; hours of UTC. Default 0 to 5.</summary>
    public IReadOnlyList<int>? Hours { get; init; }

    /// <summary>Value when there is nothing to aggregate. Default: 0 for counts, sums, rates and runs; missing (NaN) for the others.</summary>
    public double? Empty { get; init; }

    /// <summary>Reason code this feature speaks for; by default its name in capitals.</summary>
    public string? Reason { get; init; }

    /// <summary>Sentence for analysts with <c>{value}</c> in it.</summary>
    public string? Text { get; init; }
}
