namespace Scoring.Worker.Lanes;

/// <summary>What a partition has told the others about shared entities.</summary>
internal sealed class PartitionShare
{
    private (bool IsIdle, bool StandsSilent, long PublishedMs, long PublishedAt) settled = (false, true, long.MinValue, 0);

    /// <summary>End of its aggregates partition when it was assigned: a former owner's records up to there must be known first.</summary>
    public long KnownAtOffset { get; init; }

    /// <summary>How far its aggregates partition was read here before it was asked what the group has committed: all of that belongs to what is committed.</summary>
    public long ReadBefore { get; init; }

    /// <summary>Names the assignment to the ledger.</summary>
    public long Assignment { get; set; }

    /// <summary>Whether this lane speaks for the partition. Until its watermark has reached what a former owner has published, it does not.</summary>
    public bool IsOwned { get; set; }

    /// <summary>Whether the group has taken the partition away: from then on nothing may be said for it, though its last rows are still answered.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Whether rows were processed whose contributions are not drained.</summary>
    public bool HasUndrained { get; set; }

    /// <summary>Watermark told last, ms since 1970 UTC.</summary>
    public long AnnouncedMs { get; set; } = long.MinValue;

    /// <summary>Watermark that stands on the topic, as far as this lane has written it.</summary>
    public long PublishedMs { get; set; } = long.MinValue;

    /// <summary>Whether it was told that the partition is silent.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Whether the topic may say that the partition is silent: the newest mark of this lane does, or it has written none. Others do not wait for it then.</summary>
    public bool StandsSilent { get; set; } = true;

    /// <summary>Whether the ledger knows a watermark that is not on the topic yet.</summary>
    public bool MarkIsDue { get; set; }

    /// <summary>How far the aggregates topic was read when the last commit began.</summary>
    public long ReaderPosition { get; set; }

    /// <summary>Timestamp of the last publication.</summary>
    public long PublishedAt { get; set; }

    /// <summary>Keeps what was told as the point to go back to.</summary>
    public void Settle() => settled = (IsIdle, StandsSilent, PublishedMs, PublishedAt);

    /// <summary>Goes back to it: what was written since is not on the topic, so it is due again.</summary>
    public void Rewind()
    {
        (IsIdle, StandsSilent, PublishedMs, PublishedAt) = settled;
        HasUndrained = true;
        MarkIsDue = true;
    }
}
