using System.Collections.Frozen;

namespace Scoring.Models.Definitions;

/// <summary>Whether a member of a feature must stand there, may, or must not.</summary>
public enum Need
{
    /// <summary>The member has no meaning here and is a fault.</summary>
    Never,

    /// <summary>The member may stand here.</summary>
    Optional,

    /// <summary>The member must stand here.</summary>
    Required,
}

/// <summary>What an aggregate needs and where it may be used: one row of the table that the reader, the file's JSON Schema and the docs share.</summary>
/// <param name="Name">As definition files write it.</param>
/// <param name="Entity">Whether it looks at an entity's past (required) or at the event alone (never).</param>
/// <param name="Of">Whether it takes a field.</param>
/// <param name="OfKinds">The kinds that field may have; <c>number</c> includes <c>amount</c>, integers and booleans.</param>
/// <param name="Window">Whether it takes a window.</param>
/// <param name="Additive">Whether contributions of several partitions can be added up: the only ones a shared entity may have.</param>
/// <param name="Panes">Whether <c>"exact": false</c> (panes instead of an event ring) is possible.</param>
/// <param name="Meaning">One sentence for editors and docs.</param>
public sealed record AggregateFacts(string Name, Need Entity, Need Of, string OfKinds, Need Window, bool Additive, bool Panes, string Meaning)
{
    /// <summary>Every aggregate, in the order of the docs.</summary>
    public static IReadOnlyList<AggregateFacts> All { get; } =
    [
        Windowed("count", Need.Never, "", additive: true, panes: true, "Events in the window."),
        Windowed("sum", Need.Required, "number", additive: true, panes: true, "Sum of the field in the window."),
        Windowed("mean", Need.Required, "number", additive: true, panes: true, "Mean of the field in the window."),
        Windowed("std", Need.Required, "number", additive: true, panes: true, "Standard deviation of the field in the window."),
        Windowed("min", Need.Required, "number", additive: false, panes: true, "Smallest value in the window."),
        Windowed("max", Need.Required, "number", additive: false, panes: true, "Largest value in the window."),
        Windowed("median", Need.Required, "number", additive: false, panes: false, "Median of the field in the window."),
        Windowed("distinct", Need.Required, "text", additive: false, panes: false, "Different values of the field in the window."),
        Past("time_since_last", Need.Never, "", "Seconds since the entity's last event."),
        Windowed("ratio_to_mean", Need.Required, "number", additive: false, panes: true, "The event's value by the entity's mean in the window."),
        Windowed("ratio_to_median", Need.Required, "number", additive: false, panes: false, "The event's value by the entity's median in the window."),
        Windowed("ratio_to_spread", Need.Required, "number", additive: false, panes: true, "Distance of the event's value from the entity's mean, in standard deviations of the window."),
        Past("first_seen", Need.Never, "", "Seconds since the entity's first known event; 0 for the first."),
        Past("run_length", Need.Optional, "text number", "Consecutive latest events that pass the filter (or have the event's value of the field)."),
        Windowed("label_count", Need.Never, "", additive: true, panes: false, "Known frauds in the window of trusted labels."),
        Windowed("label_rate", Need.Never, "", additive: true, panes: false, "Known frauds by all events, in the window of trusted labels."),
        Past("label_run_age", Need.Never, "", "Seconds since the current run of known frauds began."),
        Past("label_gap", Need.Never, "", "Seconds between the last known honest event and the current run of known frauds."),
        Past("label_time_since_honest", Need.Never, "", "Seconds since the last known honest event."),
        Past("label_hazard", Need.Never, "", "Share of known fraud among entities by the age of their run."),
        Past("distance_from_last", Need.Never, "", "Kilometres between this event's place and the last one's (latitude, longitude)."),
        Past("speed_from_last", Need.Never, "", "Implied speed from the last event's place, km/h (latitude, longitude)."),
        Stateless("value", Need.Required, "number", "The field itself."),
        Stateless("log", Need.Required, "number", "ln(1 + field)."),
        Stateless("hour", Need.Optional, "time", "Hour of the day, UTC, 0 to 23."),
        Stateless("weekday", Need.Optional, "time", "Day of the week, UTC, Monday 0 to Sunday 6."),
        Stateless("weekend", Need.Optional, "time", "1 on Saturday and Sunday, UTC."),
        Stateless("night", Need.Optional, "time", "1 in the given hours of the day, UTC."),
        Stateless("membership", Need.Required, "text", "1 when the field is one of the values."),
        Stateless("mismatch", Need.Required, "text", "1 when two fields differ; missing when one is missing."),
        Stateless("age", Need.Required, "time", "Seconds from the field's time to the event."),
    ];

    private static readonly FrozenDictionary<string, AggregateFacts> ByName = All.ToFrozenDictionary(facts => facts.Name, StringComparer.Ordinal);

    /// <summary>The facts of an aggregate, or null when there is none of that name.</summary>
    public static AggregateFacts? Find(string name) => ByName.GetValueOrDefault(name);

    private static AggregateFacts Windowed(string name, Need of, string kinds, bool additive, bool panes, string meaning) =>
        new(name, Need.Required, of, kinds, Need.Required, additive, panes, meaning);

    private static AggregateFacts Past(string name, Need of, string kinds, string meaning) =>
        new(name, Need.Required, of, kinds, Need.Optional, false, false, meaning);

    private static AggregateFacts Stateless(string name, Need of, string kinds, string meaning) =>
        new(name, Need.Never, of, kinds, Need.Never, false, false, meaning);
}
