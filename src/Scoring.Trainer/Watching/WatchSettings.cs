using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Watching;

/// <summary>When to train, on what, and what is kept.</summary>
internal sealed record WatchSettings
{
    /// <summary>When to train: five cron fields, UTC. Null: never by the clock alone. Default Mondays at midnight.</summary>
    public string? Cron { get; init; } = "0 0 * * 1";

    /// <summary>Newly known frauds that are reason enough to train, looked at each midnight UTC; 0: they are not. Default 0.</summary>
    public int LabelsMin { get; init; }

    /// <summary>Population stability index of a feature or of the score that is reason enough to train, looked at each midnight UTC; 0: it is not. Default 0; 0.25 is the usual alarm.</summary>
    public double DriftMin { get; init; }

    /// <summary>How long after a time it is looked at: events and labels of before may still be on their way. Default 1 h.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether the latest event is the clock, as for recorded days; else the wall clock is.</summary>
    public bool EventClock { get; init; }

    /// <summary>Days that are learnt from. Default 28.</summary>
    public int TrainingDays { get; init; } = 28;

    /// <summary>Days behind those, all with their labels, that both models are judged on. Default 7.</summary>
    public int JudgedDays { get; init; } = 7;

    /// <summary>How the trees are grown.</summary>
    public LearnerSettings Learner { get; init; } = new();

    /// <summary>Whether a challenger tries a network beside its trees. Off unless it is asked for.</summary>
    public NetworkChoice NetworkChoice { get; init; } = NetworkChoice.Off;

    /// <summary>How the network is trained.</summary>
    public NetworkSettings Network { get; init; } = new();

    /// <summary>Review budget of the threshold, where the definition states none. Default 100 a day.</summary>
    public int ReviewsPerDay { get; init; } = 100;

    /// <summary>Share of frauds from which on the threshold declines, where the definition states none. Default 0.9.</summary>
    public double DeclinePrecision { get; init; } = 0.9;

    /// <summary>The rule of promotion.</summary>
    public ChampionGate Gate { get; init; } = new();

    /// <summary>How long transactions and labels are kept. Default 180 days.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(180);

    /// <summary>Most bytes of the recorded history. Default 20 GiB.</summary>
    public long HistoryBytesMax { get; init; } = 20L << 30;

    /// <summary>Rows from which on a segment is written. Default 65,536.</summary>
    public int SegmentRows { get; init; } = 65_536;

    /// <summary>Age from which on a segment is written. Default 1 h; what is lost in memory is read from Kafka again.</summary>
    public TimeSpan SegmentAge { get; init; } = TimeSpan.FromHours(1);
}
