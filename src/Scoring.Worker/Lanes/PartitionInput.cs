using System.Globalization;
using Confluent.Kafka;
using Scoring.Models.Features;
using Scoring.Models.Features.Sharing;
using Scoring.Worker.Crashes;

namespace Scoring.Worker.Lanes;

/// <summary>One input partition of a lane: its state, where it stands, what waits.</summary>
internal sealed class PartitionInput(TopicPartition source, PartitionState state, StagedRows staged, PartitionLabels? labels, PartitionStart start)
{
    private long batchLast = -1;

    /// <summary>Topic and partition of the transactions.</summary>
    public TopicPartition Source { get; } = source;

    /// <summary>Partition number, of the input and of all outputs.</summary>
    public int Partition { get; } = source.Partition.Value;

    /// <summary>The partition number as a metric's label.</summary>
    public string Name { get; } = source.Partition.Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>What was found of it when it was assigned.</summary>
    public PartitionStart Start { get; } = start;

    /// <summary>State of its keys.</summary>
    public PartitionState State { get; private set; } = state;

    /// <summary>Rows that wait for labels or for other partitions.</summary>
    public StagedRows Staged { get; } = staged;

    /// <summary>Labels that are not applied yet; none where no feature counts labels.</summary>
    public PartitionLabels? Labels { get; } = labels;

    /// <summary>First offset that is answered: rows before it were answered before the restart and only rebuild state.</summary>
    public long ResumeOffset { get; private set; } = long.MaxValue;

    /// <summary>Offset after the last record received.</summary>
    public long ReceivedOffset { get; set; } = -1;

    /// <summary>The record received last, whatever end was told behind it.</summary>
    public LastRecord Last { get; } = new();

    /// <summary>Whether a record has come since the reader was set to an offset.</summary>
    public bool HasReceived { get; set; }

    /// <summary>An end beyond the offset that the reader was set to, told before any record of it: not believed until it is told again. -1 for none.</summary>
    public long DoubtedEnd { get; set; } = -1;

    /// <summary>Offset of its first row in the batch at hand, or -1.</summary>
    public long BatchOffset { get; private set; } = -1;

    /// <summary>Where it is noted what is in hand; null where it is not.</summary>
    public PartitionCrashes? Crashes { get; init; }

    /// <summary>Offsets of records that ended the process each time: refused, and no part of the state.</summary>
    public HashSet<long> Excluded { get; } = [];

    /// <summary>Whether state is still being restored or rebuilt.</summary>
    public bool IsRebuilding { get; set; } = true;

    /// <summary>Whether state is being read from its topic: the input is not read yet.</summary>
    public bool IsRestoring { get; private set; } = true;

    /// <summary>What its changelog has of it; null where there is none.</summary>
    public ChangelogProgress? Changelog { get; init; }

    /// <summary>Whether everything on the partition has been received.</summary>
    public bool IsAtEnd { get; set; }

    /// <summary>Timestamp since when.</summary>
    public long AtEndSince { get; set; }

    /// <summary>Whether the reader is told not to fetch it.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Whether its next row was found to have to wait in this cycle.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether the group has given it to another, or is free to do so: its rows are answered there, nothing is committed here any more.</summary>
    public bool IsLost { get; set; }

    /// <summary>Whether changes of its state are logged, to be taken back with the transaction they belong to: from the end of its rebuilding on, where output is exactly once.</summary>
    public bool IsAnswering { get; private set; }

    /// <summary>Offset of the first row that is not committed: where reading goes on after a transaction was taken back.</summary>
    public long RewindOffset { get; private set; }

    /// <summary>How often it was taken back.</summary>
    public int Rewinds { get; private set; }

    /// <summary>Records that were refused while rows before them waited; their dead letters follow in offset order. As many as come, unless it is said otherwise.</summary>
    public RefusedRecords Refused { get; init; } = new(long.MaxValue);

    /// <summary>Copies of rows that may turn out to have another transaction's identifier, until they are computed.</summary>
    public RefusedRecords Suspects { get; init; } = new(long.MaxValue);

    /// <summary>Copies of rows whose answers are too large, until they are computed: a dead letter is what they get.</summary>
    public RefusedRecords Oversized { get; } = new(long.MaxValue);

    /// <summary>What it has told the others.</summary>
    public PartitionShare Share { get; init; } = new();

    /// <summary>The offset to commit: everything before it is processed.</summary>
    public long Position
    {
        get
        {
            long position = Staged.Count > 0 ? Staged.HeadOffset : ReceivedOffset;
            if (Refused.Count > 0)
            {
                position = Math.Min(position, Refused.HeadOffset);
            }

            return BatchOffset >= 0 ? Math.Min(BatchOffset, position) : position;
        }
    }

    /// <summary>Begins to read the input.</summary>
    /// <param name="restored">State as of <paramref name="start"/>.</param>
    /// <param name="start">First offset to read.</param>
    /// <param name="resume">First offset to answer.</param>
    /// <param name="waits">Whether it answers only after something else has come too.</param>
    public void Begin(PartitionState restored, long start, long resume, bool waits)
    {
        State = restored;
        ReceivedOffset = start;
        Last.Begin(start);
        ResumeOffset = resume;
        IsRebuilding = start < resume || waits;
        IsRestoring = false;
        Rewinds += Changelog is null ? 0 : 1; // Read from elsewhere than the group said.
    }

    /// <summary>A row goes into the batch.</summary>
    public void TakeInHand(long offset)
    {
        BatchOffset = BatchOffset < 0 ? offset : BatchOffset;
        batchLast = offset;
    }

    /// <summary>Notes the rows of the batch that are to be answered, before they are computed.</summary>
    public void NoteInHand()
    {
        if (BatchOffset >= 0 && batchLast >= ResumeOffset && !IsLost)
        {
            Crashes?.Note(Math.Max(BatchOffset, ResumeOffset), batchLast);
        }
    }

    /// <summary>Its rows of the batch are answered, or taken back.</summary>
    public void PutDown(bool isAnswered)
    {
        BatchOffset = -1;
        if (!IsLost)
        {
            Crashes?.Clear(isAnswered);
        }
    }

    /// <summary>Begins to log changes: all before an offset is processed.</summary>
    public void Answer(long offset)
    {
        IsAnswering = true;
        State.Begin();
        SetMarks(offset);
    }

    /// <summary>Keeps all changes: everything before an offset is committed.</summary>
    public void Settle(long offset)
    {
        State.Commit();
        if (Changelog is { } changelog)
        {
            State.KeepWritten();
            changelog.Keep();
        }

        State.Begin();
        SetMarks(offset);
    }

    /// <summary>Takes all changes back since the last commit, and forgets what was read since.</summary>
    /// <param name="planted">A mistake that a test wants.</param>
    /// <param name="restored">Told each contribution that had changed, as it is again; null where nobody was told of it.</param>
    /// <returns>Whether the reader has to be set back. Not when nothing was read since: it would tell the end of the partition no second time.</returns>
    public bool Rewind(PlantedBug planted, ContributionWriter? restored)
    {
        if (planted == PlantedBug.NoUndo)
        {
            State.Commit();
        }
        else
        {
            State.Rollback(restored);
        }

        Changelog?.Discard();
        State.Begin();
        Staged.Clear();
        Refused.Clear();
        Suspects.Clear();
        Oversized.Clear();
        Share.Rewind();
        IsHeld = false;
        if (ReceivedOffset == RewindOffset)
        {
            return false;
        }

        ReceivedOffset = RewindOffset;
        Last.GoBack(RewindOffset);
        HasReceived = false;
        DoubtedEnd = -1;
        IsAtEnd = false;
        Rewinds++;
        return true;
    }

    private void SetMarks(long offset)
    {
        RewindOffset = offset;
        if (Labels is { } labels)
        {
            labels.RewindOffset = labels.Position;
        }

        Share.Settle();
    }
}
