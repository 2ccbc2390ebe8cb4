namespace Scoring.Trainer.Watching;

/// <summary>Where the loop stands: one small file, replaced as a whole.</summary>
internal sealed record WatchState
{
    /// <summary>The form of the file that this code writes and reads.</summary>
    public const int FormatVersion = 1;

    /// <summary>Form of the file.</summary>
    public required int Format { get; init; }

    /// <summary>The service.</summary>
    public required string Service { get; init; }

    /// <summary>The last time that is done with; none before the first.</summary>
    public DateTimeOffset? DoneUntil { get; init; }

    /// <summary>The last time at which there was a decision; newly known labels are counted from there, and drift asks again only after the judged days.</summary>
    public DateTimeOffset? TrainedAt { get; init; }

    /// <summary>A promotion that is decided and whose package is on the disk, but may not be published yet.</summary>
    public WatchDecision? Pending { get; init; }
}
