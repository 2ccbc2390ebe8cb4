using Scoring.Models.Events;

namespace Scoring.Worker.Lanes;

/// <summary>Labels of one partition that are read and not applied, in offset order, and what is known about the end of their partition.</summary>
internal sealed class PartitionLabels(EventSchema schema, long resumeOffset)
{
    private const int ChunkRows = 64;

    private readonly Queue<LabelBatch> chunks = new();
    private readonly Stack<LabelBatch> pool = new();
    private LabelBatch? last;

    /// <summary>Refused labels before this offset were answered before the restart.</summary>
    public long ResumeOffset { get; set; } = resumeOffset;

    /// <summary>The group's offset, as this lane has found or committed it; 0 for none. What is answered may be ahead of it, or, in a log that was made anew, before it.</summary>
    public long CommittedOffset { get; set; } = resumeOffset;

    /// <summary>Labels that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Offset after the last record received.</summary>
    public long ReceivedOffset { get; set; }

    /// <summary>Whether everything on the partition has been received, as far as the last answer of the broker tells.</summary>
    public bool IsAtEnd
    {
        get;
        set
        {
            field = value;
            HasReachedEnd |= value;
        }
    }

    /// <summary>Whether the end was reached once: until then live traffic waits too.</summary>
    public bool HasReachedEnd { get; private set; }

    /// <summary>Transactions before this offset were received before the end of the labels was asked for and found reached.</summary>
    public long ConfirmedToOffset { get; set; }

    /// <summary>Event time that others have reached since the transactions of the partition fell silent, ms since 1970 UTC.</summary>
    public long OthersReachedMs { get; set; } = long.MinValue;

    /// <summary>Timestamp since when the first label is not after that; 0 when it is.</summary>
    public long DueSince { get; set; }

    /// <summary>How far the others were then: labels up to here are applied when they have stayed due.</summary>
    public long DueToMs { get; set; }

    /// <summary>Whether the reader is told not to fetch it.</summary>
    public bool IsPaused { get; set; }

    /// <summary>The batch that holds the first label; only when <see cref="Count"/> is above 0.</summary>
    public LabelBatch HeadBatch => chunks.Peek();

    /// <summary>The first label in <see cref="HeadBatch"/>.</summary>
    public int HeadRow { get; private set; }

    /// <summary>When the first label was reported, ms since 1970 UTC.</summary>
    public long HeadReportedAtMs => HeadBatch.ReportedAtMs[HeadRow];

    /// <summary>Source offset of the first label that waits.</summary>
    public long HeadOffset => HeadBatch.Offsets[HeadRow];

    /// <summary>First label that is neither applied nor refused by a dead letter.</summary>
    public long Position => Math.Min(Count > 0 ? HeadOffset : ReceivedOffset, Refused.Count > 0 ? Refused.HeadOffset : long.MaxValue);

    /// <summary>Up to where labels are answered. Reading may begin before that, at those that the last mark has not: a restart must not take them for new. What is committed, and written to the position record; never to a mark, which says what the state holds.</summary>
    public long AnsweredOffset => Math.Max(Position, ResumeOffset);

    /// <summary>Offset of the first label that is not committed: where reading goes on after a transaction was taken back.</summary>
    public long RewindOffset { get; set; }

    /// <summary>Records that were refused while labels before them waited; their dead letters follow in offset order. As many as come, unless it is said otherwise.</summary>
    public RefusedRecords Refused { get; init; } = new(long.MaxValue);

    /// <summary>The label that was received last.</summary>
    public LastRecord Last { get; } = new();

    /// <summary>Reading begins at an offset.</summary>
    public void Begin(long offset)
    {
        ReceivedOffset = offset;
        Last.Begin(offset);
    }

    /// <summary>A batch with room for one more label, to decode into.</summary>
    public LabelBatch Next()
    {
        if (last is null || last.IsFull)
        {
            last = pool.Count > 0 ? pool.Pop() : new LabelBatch(schema, ChunkRows);
            chunks.Enqueue(last);
        }

        return last;
    }

    /// <summary>Keeps the label that was decoded into <see cref="Next"/>.</summary>
    public void Accept(int partition, long offset, long appendTimeMs)
    {
        last!.Accept(partition, offset, appendTimeMs);
        Count++;
    }

    /// <summary>Takes the first label away.</summary>
    public void RemoveHead()
    {
        Count--;
        if (++HeadRow == HeadBatch.RowCount)
        {
            Recycle();
        }
    }

    /// <summary>Forgets every label that was read and not committed; they are read again.</summary>
    /// <returns>Whether the reader has to be set back. Not when nothing was read since: it would tell the end of the partition no second time.</returns>
    public bool Rewind()
    {
        if (ReceivedOffset == RewindOffset && Count == 0)
        {
            return false;
        }

        Forget();
        ReceivedOffset = RewindOffset;
        Last.GoBack(RewindOffset);
        return true;
    }

    /// <summary>What was read is of another log than what stands there now: nothing of this one is applied, answered or committed.</summary>
    public void StartOver()
    {
        Forget();
        Begin(0);
        ResumeOffset = 0;
        RewindOffset = 0;
    }

    private void Forget()
    {
        while (chunks.Count > 0)
        {
            Recycle();
        }

        Count = 0;
        Refused.Clear();
        IsAtEnd = false;
        ConfirmedToOffset = 0;
    }

    private void Recycle()
    {
        var spent = chunks.Dequeue();
        spent.Clear();
        pool.Push(spent);
        HeadRow = 0;
        last = chunks.Count == 0 ? null : last;
    }
}
