using System.Globalization;
using Scoring.Trainer.Labels;

namespace Scoring.Trainer.History.Segments;

/// <summary>A history that grows: a folder of segments, each written whole, flushed to the disk and then renamed.</summary>
/// <remarks>
/// The offsets that a segment covers stand in the segment. So there is no moment at which rows and positions disagree: a process that dies
/// leaves either no segment, and its records are read again, or the segment with its positions, and they are not. One process at a time:
/// the folder is locked while it is open.
/// </remarks>
internal sealed class SegmentFolder : IDisposable
{
    private const string Unfinished = ".unfinished";

    private readonly string path;
    private readonly string service;
    private readonly FileStream exclusive;
    private readonly Action<SegmentStep> onStep;
    private readonly Dictionary<SourceKind, List<Segment>> segments;

    private SegmentFolder(string path, string service, FileStream exclusive, Action<SegmentStep> onStep, Dictionary<SourceKind, List<Segment>> segments)
    {
        this.path = path;
        this.service = service;
        this.exclusive = exclusive;
        this.onStep = onStep;
        this.segments = segments;
    }

    /// <summary>Bytes of all segments.</summary>
    public long Bytes => segments.Values.Sum(all => all.Sum(segment => segment.Bytes));

    /// <summary>Opens a folder, makes it if need be, and clears away what a killed process has left unfinished.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="service">Service whose history it holds.</param>
    /// <param name="onStep">Told of each <see cref="SegmentStep"/>; an exception from it ends the work there as a kill would.</param>
    /// <param name="cancellation">Stops the opening.</param>
    /// <exception cref="TrainerException">Another process has it open, a segment is damaged or missing, or it belongs to another service.</exception>
    public static async Task<SegmentFolder> OpenAsync(string path, string service, Action<SegmentStep>? onStep, CancellationToken cancellation)
    {
        Directory.CreateDirectory(path);
        var locked = Lock(path);
        try
        {
            foreach (string left in Directory.EnumerateFiles(path, "*" + Unfinished))
            {
                File.Delete(left);
            }

            var found = new Dictionary<SourceKind, List<Segment>>();
            foreach (var kind in Enum.GetValues<SourceKind>())
            {
                var ofKind = new List<Segment>();
                foreach (var (number, file) in Directory.EnumerateFiles(path, Prefix(kind) + "*.parquet").Select(file => (NumberOf(file, kind), file)).Order())
                {
                    ofKind.Add(await SegmentMetadata.ReadAsync(kind, number, file, service, cancellation));
                }

                RequireUnbroken(ofKind);
                found[kind] = ofKind;
            }

            return new(path, service, locked, onStep ?? (_ => { }), found);
        }
        catch
        {
            await locked.DisposeAsync();
            throw;
        }
    }

    /// <summary>The segments of a kind, oldest first.</summary>
    public IReadOnlyList<Segment> Of(SourceKind kind) => segments[kind];

    /// <summary>Up to where a topic is recorded.</summary>
    public SourcePositions Recorded(SourceKind kind) => segments[kind] is [.., var newest] ? newest.To : SourcePositions.None;

    /// <summary>Adds a segment of transactions.</summary>
    public Task AddAsync(IReadOnlyList<HistoryChunk> chunks, SourcePositions to, CancellationToken cancellation)
    {
        var times = chunks.SelectMany(chunk => chunk.Batch.EventTimesMs[..chunk.Batch.RowCount].ToArray()).ToList();
        return AddAsync(SourceKind.Transactions, to, times.Min(), times.Max(), (file, metadata) => HistoryWriter.WriteUnfinishedAsync(file, service, chunks, metadata, cancellation));
    }

    /// <summary>Adds a segment of labels.</summary>
    public Task AddAsync(IReadOnlyList<LabelRecord> labels, SourcePositions to, CancellationToken cancellation) => AddAsync(
        SourceKind.Labels,
        to,
        labels.Min(label => label.ReportedAtMs),
        labels.Max(label => label.ReportedAtMs),
        (file, metadata) => LabelSegmentFile.WriteAsync(file, service, labels, metadata, cancellation));

    /// <summary>Deletes the oldest segments that lie wholly before a time, and as many more as exceed the bytes allowed; never the newest of a kind: it holds the positions.</summary>
    /// <param name="beforeMs">Time before which nothing is needed, ms since 1970 UTC.</param>
    /// <param name="bytesMax">Most bytes of all segments.</param>
    /// <returns>Segments deleted.</returns>
    public int Retain(long beforeMs, long bytesMax)
    {
        int deleted = 0;
        foreach (var all in segments.Values)
        {
            while (all.Count > 1 && all[0].LastMs < beforeMs)
            {
                Delete(all);
            }
        }

        // Labels are small and outlive their transactions' files: the bytes are the transactions'.
        var transactions = segments[SourceKind.Transactions];
        while (transactions.Count > 1 && Bytes > bytesMax)
        {
            Delete(transactions);
        }

        return deleted;

        void Delete(List<Segment> all)
        {
            File.Delete(all[0].Path);
            all.RemoveAt(0);
            deleted++;
            onStep(SegmentStep.Deleted);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => exclusive.Dispose();

    private async Task AddAsync(SourceKind kind, SourcePositions to, long firstMs, long lastMs, Func<string, IReadOnlyDictionary<string, string>, Task<int>> write)
    {
        long number = segments[kind] is [.., var newest] ? newest.Number + 1 : 1;
        var from = Recorded(kind);
        string file = Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"{Prefix(kind)}{number:00000000}.parquet"));
        onStep(SegmentStep.Begun);
        int rows = await write(file + Unfinished, SegmentMetadata.Of(from, to, firstMs, lastMs));
        onStep(SegmentStep.Written);
        File.Move(file + Unfinished, file);
        onStep(SegmentStep.Renamed);
        segments[kind].Add(new(kind, number, file, from, to, firstMs, lastMs, rows, new FileInfo(file).Length));
    }

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new TrainerException(ExitCode.Configuration, $"{path}: another trainer works in this folder; give each its own", e);
        }
    }

    private static string Prefix(SourceKind kind) => kind == SourceKind.Transactions ? "transactions-" : "labels-";

    private static long NumberOf(string file, SourceKind kind) =>
        long.TryParse(Path.GetFileNameWithoutExtension(file).AsSpan(Prefix(kind).Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new TrainerException(ExitCode.Data, $"{file}: not a name of a segment; move it elsewhere");

    private static void RequireUnbroken(List<Segment> found)
    {
        for (int i = 1; i < found.Count; i++)
        {
            if (!string.Equals(found[i].From.ToString(), found[i - 1].To.ToString(), StringComparison.Ordinal))
            {
                throw new TrainerException(ExitCode.Data, $"{found[i].Path}: begins at {found[i].From}, but the one before it ends at {found[i - 1].To}: a segment is missing; delete this one and every later one of its kind, and their records are read from Kafka again");
            }
        }
    }
}
