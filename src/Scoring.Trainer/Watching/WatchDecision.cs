namespace Scoring.Trainer.Watching;

/// <summary>What was decided at one time, and why: a file in the trainer's folder, a line of its log, a metric.</summary>
internal sealed record WatchDecision
{
    /// <summary>The time that was looked at.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What asked for training: schedule, labels, drift.</summary>
    public required IReadOnlyList<string> Triggers { get; init; }

    /// <summary>promoted, kept or not_judged.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why, a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Digest of the champion; none where there was none.</summary>
    public string? ChampionSha256 { get; init; }

    /// <summary>Digest of the challenger; none where it did not come to one.</summary>
    public string? ChallengerSha256 { get; init; }

    /// <summary>The challenger's place in the sequence of packages.</summary>
    public long? Sequence { get; init; }

    /// <summary>What was seen, by name.</summary>
    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);
}
