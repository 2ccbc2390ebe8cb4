using System.IO.MemoryMappedFiles;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Crashes;

/// <summary>A partition's part of the <see cref="CrashJournal"/>; of the lane that owns the partition.</summary>
internal sealed class PartitionCrashes
{
    /// <summary>Words of 8 bytes that a partition has.</summary>
    public const int Words = RefusedAt + RefusedMax;

    private const int FirstAt = 0;
    private const int LastAt = 1;
    private const int DoubtedFirstAt = 2;
    private const int DoubtedLastAt = 3;
    private const int DeathsAt = 4;
    private const int RefusedCountAt = 5;
    private const int RefusedAt = 6;
    private const int RefusedMax = 18;

    /// <summary>Deaths in a row after which a record is refused. A worker may be killed once or twice for other reasons with the same record in hand.</summary>
    private const int DeathsMax = 3;

    private readonly CrashJournal journal;
    private readonly MemoryMappedViewAccessor view;
    private readonly long at;
    private long deaths;
    private long doubtedFirst;
    private long doubtedLast;
    private long notedFirst = -1;
    private long notedLast = -1;

    /// <summary>Reads what is noted.</summary>
    /// <param name="journal">Told when rows are answered.</param>
    /// <param name="view">Its file.</param>
    /// <param name="at">Where the partition begins, bytes.</param>
    public PartitionCrashes(CrashJournal journal, MemoryMappedViewAccessor view, long at)
    {
        this.journal = journal;
        this.view = view;
        this.at = at;
        (deaths, doubtedFirst, doubtedLast) = (Word(DeathsAt), Word(DoubtedFirstAt), Word(DoubtedLastAt));
    }

    /// <summary>Records that are not processed any more, the latest few.</summary>
    public IEnumerable<long> Refused
    {
        get
        {
            for (int i = 0; i < Math.Min(RefusedMax, Word(RefusedCountAt)); i++)
            {
                yield return Word(RefusedAt + i);
            }
        }
    }

    /// <summary>Whether a record was in hand when the process ended: nothing may be in hand beside it.</summary>
    public bool MustBeAlone(long offset) => deaths > 0 && offset >= doubtedFirst && offset <= doubtedLast;

    /// <summary>Records are about to be computed, in place of what was noted last.</summary>
    /// <param name="first">Offset of the first.</param>
    /// <param name="last">Offset of the last.</param>
    public void Note(long first, long last)
    {
        if (last != notedLast)
        {
            notedLast = last;
            Write(LastAt, last);
        }

        if (first != notedFirst)
        {
            notedFirst = first;
            Write(FirstAt, first + 1);
        }
    }

    /// <summary>Takes the note away.</summary>
    /// <param name="isAnswered">Whether its records are answered: then the process has lived through them. If not, they were put down for another reason.</param>
    public void Clear(bool isAnswered)
    {
        if (notedFirst < 0)
        {
            return;
        }

        if (isAnswered)
        {
            journal.Answered();
            if (deaths > 0 && notedLast >= doubtedLast)
            {
                deaths = 0;
                Write(DeathsAt, 0);
            }
        }

        Write(FirstAt, 0);
        (notedFirst, notedLast) = (-1, -1);
    }

    /// <summary>Counts what a process that has ended left in hand.</summary>
    public void CountDeath(int partition, ILogger logger)
    {
        (long first, long last) = (Word(FirstAt) - 1, Word(LastAt));
        if (first < 0)
        {
            return;
        }

        (deaths, doubtedFirst, doubtedLast) = deaths > 0 && first <= doubtedLast && last >= doubtedFirst
            ? (deaths + 1, Math.Max(first, doubtedFirst), Math.Min(last, doubtedLast))
            : (1, first, last);
        if (deaths >= DeathsMax && doubtedFirst == doubtedLast)
        {
            journal.CountRefusal(partition, doubtedFirst, deaths);
            long count = Word(RefusedCountAt);
            Write(RefusedAt + (int)(count % RefusedMax), doubtedFirst);
            Write(RefusedCountAt, count + 1);
            LogMessages.CrashRefused(logger, partition, doubtedFirst, deaths);
            deaths = 0;
        }
        else
        {
            LogMessages.CrashSuspected(logger, partition, doubtedFirst, doubtedLast, deaths);
        }

        Write(DoubtedFirstAt, doubtedFirst);
        Write(DoubtedLastAt, doubtedLast);
        Write(DeathsAt, deaths);
        Write(FirstAt, 0); // Last: who is ended here counts once more, not once less.
    }

    private long Word(int index) => view.ReadInt64(at + (index * sizeof(long)));

    private void Write(int index, long value) => view.Write(at + (index * sizeof(long)), value);
}
