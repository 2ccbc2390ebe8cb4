namespace Scoring.Models.Events.Scores;

/// <summary>What was missing when a score was made.</summary>
[Flags]
public enum Degradation
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Not every partition had reported the panes of a shared entity (<c>stale_aggregates</c>).</summary>
    StaleAggregates = 1,

    /// <summary>The network did not score (<c>trees_only</c>).</summary>
    TreesOnly = 2,

    /// <summary>No model scored (<c>rules_only</c>).</summary>
    RulesOnly = 4,
}
