using System.IO.MemoryMappedFiles;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Crashes;

/// <summary>A partition's part of the <see cref="CrashJournal"/>. Of one lane; a note is a store or two.</summary>
internal sealed class PartitionCrashes
{
    /// <summary>Words of 8 bytes that a partition has.</summary>
    public const int Words = RefusedAt + RefusedMax;

    private const int FirstAt = 0;
    private const int LastAt = 1;
    private const int SuspectFirstAt = 2;
    private const int SuspectLastAt = 3;
    private const int DeathsAt = 4;
    private const int RefusedCountAt = 5;
    private const int RefusedAt = 6;
    private const int RefusedMax = 16;

    /// <summary>Deaths in a row after which a record is refused. A worker may be killed once or twice for other reasons with the same record in hand.</summary>
    private const int DeathsMax = 3;

    /// <summary>So many refused records this near to each other are not the cause.</summary>
    private const int NeighboursMax = 3;
    private const long NeighbourOffsets = 10_000;

    private readonly MemoryMappedViewAccessor view;
    private readonly long at;
    private long deaths;
    private long suspectFirst;
    private long suspectLast;
    private bool hasInHand;
    private long last;

    /// <summary>Reads what is noted.</summary>
    /// <param name="view">The journal.</param>
    /// <param name="at">Where the partition begins, bytes.</param>
    public PartitionCrashes(MemoryMappedViewAccessor view, long at)
    {
        this.view = view;
        this.at = at;
        (deaths, suspectFirst, suspectLast) = (Word(DeathsAt), Word(SuspectFirstAt), Word(SuspectLastAt));
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

    /// <summary>Whether a record was in hand when the process ended: it is to be taken alone.</summary>
    public bool IsSuspect(long offset) => deaths > 0 && offset >= suspectFirst && offset <= suspectLast;

    /// <summary>A record is about to be processed, with those that were begun since the last <see cref="End"/>.</summary>
    public void Begin(long offset)
    {
        last = offset;
        Note(LastAt, offset);
        if (!hasInHand)
        {
            hasInHand = true;
            Note(FirstAt, offset + 1);
        }
    }

    /// <summary>What was begun is answered, or taken back.</summary>
    public void End()
    {
        if (!hasInHand)
        {
            return;
        }

        hasInHand = false;
        Note(FirstAt, 0);
        if (deaths > 0 && last >= suspectLast)
        {
            deaths = 0;
            Note(DeathsAt, 0);
        }
    }

    /// <summary>Counts what a process that has ended left in hand.</summary>
    /// <exception cref="CommandFailure">See <see cref="CrashJournal.Open"/>.</exception>
    public void CountDeath(int partition, string path, ILogger logger)
    {
        (long first, long end) = (Word(FirstAt) - 1, Word(LastAt));
        if (first < 0)
        {
            return;
        }

        if (deaths > 0 && first <= suspectLast && end >= suspectFirst)
        {
            (deaths, suspectFirst, suspectLast) = (deaths + 1, Math.Max(first, suspectFirst), Math.Min(end, suspectLast));
        }
        else
        {
            (deaths, suspectFirst, suspectLast) = (1, first, end);
        }

        if (deaths >= DeathsMax && suspectFirst == suspectLast)
        {
            Refuse(partition, path, logger);
        }
        else
        {
            LogMessages.CrashSuspected(logger, partition, suspectFirst, suspectLast, deaths);
        }

        Note(SuspectFirstAt, suspectFirst);
        Note(SuspectLastAt, suspectLast);
        Note(DeathsAt, deaths);
        Note(FirstAt, 0); // Last: who is ended here counts once more, not once less.
    }

    private void Refuse(int partition, string path, ILogger logger)
    {
        if (Refused.Count(offset => Math.Abs(offset - suspectFirst) <= NeighbourOffsets) >= NeighboursMax - 1)
        {
            throw new CommandFailure(
                ExitCode.Internal,
                FormattableString.Invariant($"the process was ended {deaths} times with offset {suspectFirst} of partition {partition} in hand, and before with {string.Join(", ", Refused)}: so many are hardly the cause (memory, a device, a defect of this build); mend that, then delete {path}"));
        }

        long count = Word(RefusedCountAt);
        Note(RefusedAt + (int)(count % RefusedMax), suspectFirst);
        Note(RefusedCountAt, count + 1);
        LogMessages.CrashRefused(logger, partition, suspectFirst, deaths);
        deaths = 0;
    }

    private long Word(int index) => view.ReadInt64(at + (index * sizeof(long)));

    private void Note(int index, long value) => view.Write(at + (index * sizeof(long)), value);
}
