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
/// <para>A lane notes of each partition the first and the last offset that it is about to compute, and takes the note away when they are answered. The file is mapped into memory: a note is a store,
/// and it stands there however the process ended. (Not after a power failure; no record causes that.)</para>
/// <para>A worker that starts and finds notes was ended with those records in hand. It takes them one by one from then on; the one with which it is ended three times in a row, alone the last time, is
/// refused from then on. A worker that ends by itself, for a reason that it knows, leaves no notes.</para>
/// <code>
/// words of 8 bytes, in the order of the machine
/// header     "FSCRASH1", hash of the input topic's identity (2), partitions
/// partition  first in hand + 1 (0: none), last in hand, first and last suspected, deaths in a row, count of refused, refused (16, the last ones)
/// </code>
/// </remarks>
internal sealed class CrashJournal : IDisposable
{
    private const long Magic = 0x3148_5341_5243_5346;
    private const int HeaderWords = 4;
    private const int FilesMax = 64;

    private readonly FileStream file;
    private readonly MemoryMappedFile mapped;
    private readonly MemoryMappedViewAccessor view;

    private CrashJournal(FileStream file, string input, int partitionCount)
    {
        this.file = file;
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
    }

    /// <summary>Where it is.</summary>
    public string Path => file.Name;

    /// <summary>Opens the journal of this worker, and counts what the one before it left there.</summary>
    /// <param name="directory">Folder.</param>
    /// <param name="name">What no worker of another group or another name uses. Of several that use one, each gets a file of its own.</param>
    /// <param name="input">Identity of the input topic: offsets of another one of its name mean nothing here.</param>
    /// <param name="partitionCount">Its partitions.</param>
    /// <param name="logger">Says what was found.</param>
    /// <returns>Null where the file cannot be used, which is said.</returns>
    /// <exception cref="CommandFailure">One record after the other ended the process: it is not the records.</exception>
    public static CrashJournal? Open(string directory, string name, string input, int partitionCount, ILogger logger)
    {
        CrashJournal? journal = null;
        try
        {
            journal = new CrashJournal(OpenFile(System.IO.Path.Combine(directory, Uri.EscapeDataString(name))), input, partitionCount);
            for (int partition = 0; partition < partitionCount; partition++)
            {
                journal.Of(partition).CountDeath(partition, journal.Path, logger);
            }

            return journal;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            LogMessages.CrashesNotNoted(logger, directory, unusable.Message);
        }
        catch
        {
            journal?.Dispose();
            throw;
        }

        journal?.Dispose();
        return null;
    }

    /// <summary>The notes of a partition; of one owner at a time.</summary>
    public PartitionCrashes Of(int partition) => new(view, (HeaderWords + ((long)partition * PartitionCrashes.Words)) * sizeof(long));

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
