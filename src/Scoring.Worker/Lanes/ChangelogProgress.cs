namespace Scoring.Worker.Lanes;

/// <summary>How far a partition's changelog is.</summary>
internal sealed class ChangelogProgress
{
    private bool writesMark;
    private bool writesDoubt;
    private long writtenAt;

    /// <summary>Whether the topic has a mark: a state to restore from.</summary>
    public bool HasMark { get; set; }

    /// <summary>Whether the topic says that its records are of no one point.</summary>
    public bool IsDoubted { get; private set; }

    /// <summary>Whether something was applied that going through the input again would apply elsewhere: the next commit writes a mark.</summary>
    public bool MustMark { get; set; }

    /// <summary>Marks committed since the partition came.</summary>
    public int Marks { get; private set; }

    /// <summary>Records written since the partition came, those of transactions that were taken back among them.</summary>
    public long Records { get; set; }

    /// <summary>Timestamp of the last mark.</summary>
    public long MarkedAt { get; private set; }

    /// <summary>A mark stands in the open transaction.</summary>
    public void Marked(long now) => (writesMark, writtenAt) = (true, now);

    /// <summary>The open transaction says that the records are of no one point.</summary>
    public void Doubted() => writesDoubt = true;

    /// <summary>The transaction is committed.</summary>
    public void Keep()
    {
        if (writesMark)
        {
            HasMark = true;
            IsDoubted = false;
            MustMark = false;
            MarkedAt = writtenAt;
            Marks++;
        }

        IsDoubted |= writesDoubt && !writesMark;
        Discard();
    }

    /// <summary>The transaction is taken back.</summary>
    public void Discard() => writesMark = writesDoubt = false;
}
