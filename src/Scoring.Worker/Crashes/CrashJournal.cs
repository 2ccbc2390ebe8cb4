using System.Globalization;
using System.IO.Hashing;
using System.IO.MemoryMappedFiles;
using System.Text;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Crashes;

/// <summary>Which records the lanes of this worker have in hand, in a file that outlives the process: by it the record is found that ends the process each time.</summary>
/// <remarks>
/// <para>Before a lane computes rows it notes, of each partition, the first and the last offset that are to be answered, and takes the note away when they are. The file is mapped into memory: a note is a store,
/// and it stands there however the process ended. (Not after a power failure; no record causes that.)</para>
/// <para>A worker that starts and finds notes was ended with those records in hand. It takes them one by one from then on, one in the whole process at a time; the one with which it is ended three times in a row, alone the last
/// time, is refused from then on. A worker that ends by itself, for a reason that it knows, leaves no notes.</para>
/// <code>
/// words of 8 bytes, in the order of the machine
/// header     "FSCRASH1", hash of the input topic's identity (2), partitions, refusals since a process lived through a minute
/// partition  first in hand + 1 (0: none), last in hand, first and last doubted, deaths in a row, count of refused, refused (18, the last ones)
/// </code>
/// </remarks>
internal sealed class CrashJournal : IDisposable
{
    private const long Magic = 0x3148_5341_5243_5346;
    private const int RefusalsAt = 4;
    private const int HeaderWords = 8;
    private const int FilesMax = 64;
    private const int NoLane = -1;

    /// <summary>More refusals than this, without a minute of work between, are not the records' fault: memory, a device, a defect. Each costs three ends of the process.</summary>
    private const int RefusalsMax = 4;

    private static readonly TimeSpan WorkedFor = TimeSpan.FromMinutes(1);

    private readonly TimeProvider clock;
    private readonly long openedAt;
    private readonly FileStream file;
    private readonly MemoryMappedFile mapped;
    private readonly MemoryMappedViewAccessor view;
    private volatile bool mayForgive;
    private int turn = NoLane;

    private CrashJournal(FileStream file, string input, int partitionCount, TimeProvider clock)
    {
        this.file = file;
        this.clock = clock;
        openedAt = clock.GetTimestamp();
        var identity = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(input));
        long[] header = [Magic, (long)(ulong)(identity >> 64), (long)(ulong)identity, partitionCount];
        long length = (HeaderWords + ((long)partitionCount * PartitionCrashes.Words)) * sizeof(long);
        bool isNew = file.Length != length;
        if (isNew)
        {
            Empty(length);
        }

        mapped = MemoryMappedFile.CreateFromFile(file, mapName: null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        view = mapped.CreateViewAccessor(0, length);
        if (!isNew && !header.Index().All(word => view.ReadInt64(word.Index * sizeof(long)) == word.Item))
        {
            view.WriteArray(0, new byte[length], 0, (int)length); // Of another topic of this name, or damaged.
        }

        view.WriteArray(0, header, 0, header.Length);
        mayForgive = view.ReadInt64(RefusalsAt * sizeof(long)) > 0;
    }

    /// <summary>Where it is.</summary>
    public string Path => file.Name;

    /// <summary>Whether any record is refused.</summary>
    public bool HasRefused { get; private set; }

    /// <summary>Opens the journal of this worker, and counts what the one before it left there.</summary>
    /// <param name="directory">Folder.</param>
    /// <param name="name">What no worker of another group or another name uses. Of several that use one, each gets a file of its own.</param>
    /// <param name="input">Identity of the input topic: offsets of another one of its name mean nothing here.</param>
    /// <param name="partitionCount">Its partitions.</param>
    /// <param name="clock">Tells how long the process lives.</param>
    /// <param name="logger">Says what was found.</param>
    /// <returns>Null where the file cannot be used, which is said.</returns>
    /// <exception cref="CommandFailure">One record after the other ended the process: it is not the records.</exception>
    public static CrashJournal? Open(string directory, string name, string input, int partitionCount, TimeProvider clock, ILogger logger)
    {
        FileStream? opened = null;
        CrashJournal? journal = null;
        try
        {
            opened = OpenFile(System.IO.Path.Combine(directory, Uri.EscapeDataString(name)));
            journal = new CrashJournal(opened, input, partitionCount, clock);
            for (int partition = 0; partition < partitionCount; partition++)
            {
                var crashes = journal.Of(partition);
                crashes.CountDeath(partition, logger);
                journal.HasRefused |= crashes.Refused.Any();
            }

            return journal;
        }
        catch (Exception unusable)
        {
            journal?.Dispose();
            opened?.Dispose();
            if (unusable is IOException or UnauthorizedAccessException)
            {
                LogMessages.CrashesNotNoted(logger, directory, unusable.Message);
                return null;
            }

            throw;
        }
    }

    /// <summary>The notes of a partition; of one owner at a time.</summary>
    public PartitionCrashes Of(int partition) => new(this, view, (HeaderWords + ((long)partition * PartitionCrashes.Words)) * sizeof(long));

    /// <summary>Whether a lane may take a record that must be alone: one lane at a time, or a process that ends would count against the records of all.</summary>
    public bool TryTakeTurn(int lane) => Interlocked.CompareExchange(ref turn, lane, NoLane) is var owner && (owner == NoLane || owner == lane);

    /// <summary>Lets another lane.</summary>
    public void GiveTurnBack(int lane) => Interlocked.CompareExchange(ref turn, NoLane, lane);

    /// <summary>Told when a lane has answered rows.</summary>
    public void Answered()
    {
        if (mayForgive && clock.GetElapsedTime(openedAt) >= WorkedFor)
        {
            mayForgive = false;
            view.Write(RefusalsAt * sizeof(long), 0L);
        }
    }

    /// <summary>Told before a record is refused.</summary>
    /// <exception cref="CommandFailure">Too many are.</exception>
    public void CountRefusal(int partition, long offset, long deaths)
    {
        long refusals = view.ReadInt64(RefusalsAt * sizeof(long)) + 1;
        if (refusals > RefusalsMax)
        {
            throw new CommandFailure(
                ExitCode.Internal,
                FormattableString.Invariant($"the process was ended {deaths} times with offset {offset} of partition {partition} in hand, after {RefusalsMax} other records and without a minute of work between: so many are hardly the cause (memory, a device, a defect of this build); mend that, then delete {Path}"));
        }

        view.Write(RefusalsAt * sizeof(long), refusals);
        mayForgive = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        view.Dispose();
        mapped.Dispose();
        file.Dispose();
    }

    private static FileStream OpenFile(string path)
    {
        for (int number = 0; ; number++)
        {
            try
            {
                return new FileStream(string.Create(CultureInfo.InvariantCulture, $"{path}.{number}.crashes"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (number < FilesMax)
            {
                // Another worker's: the next.
            }
        }
    }

    /// <summary>Writes zeros, so that the disk has the room: a mapped page without any ends the process.</summary>
    private void Empty(long length)
    {
        file.SetLength(0);
        file.Write(new byte[length]);
        file.Flush(flushToDisk: true);
    }
}
