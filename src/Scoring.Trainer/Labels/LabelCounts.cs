namespace Scoring.Trainer.Labels;

/// <summary>What became of every label: each is counted once, in the first place that fits.</summary>
internal sealed record LabelCounts
{
    /// <summary>Reported after the time that is looked at.</summary>
    public int NotYetReported { get; init; }

    /// <summary>A label that is there already came again.</summary>
    public int Repeated { get; init; }

    /// <summary>Another label supersedes it.</summary>
    public int Superseded { get; init; }

    /// <summary>It says neither fraud nor honest.</summary>
    public int Undecided { get; init; }

    /// <summary>A later label of its transaction says the opposite.</summary>
    public int Contradicted { get; init; }

    /// <summary>A later label of its transaction says the same.</summary>
    public int Confirmed { get; init; }

    /// <summary>It decides for a transaction that is not known (yet): it waits.</summary>
    public int Waiting { get; init; }

    /// <summary>It decides for its transaction.</summary>
    public int Joined { get; init; }

    /// <summary>The counts by name, for metrics and files.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Named =>
    [
        new("joined", Joined),
        new("waiting", Waiting),
        new("confirmed", Confirmed),
        new("contradicted", Contradicted),
        new("superseded", Superseded),
        new("undecided", Undecided),
        new("repeated", Repeated),
        new("not_yet_reported", NotYetReported),
    ];
}
