using System.IO.Compression;

namespace Scoring.Models.Events.Files;

/// <summary>Reads a file of recorded events, one after the other, as JSON in the customer's own names.</summary>
/// <remarks>
/// By name: <c>.csv</c> (RFC 4180, header row), <c>.jsonl</c> and <c>.ndjson</c> (an event per line), <c>.json</c> (objects one after the other or in one list); each may be <c>.gz</c>.
/// A record that cannot be read is reported by <see cref="Problem"/> and reading goes on. Buffers are reused: <see cref="Json"/> holds until the next <see cref="Read"/>.
/// </remarks>
public sealed class EventFile : IDisposable
{
    private readonly ByteSource source;
    private readonly RecordReader records;

    private EventFile(Stream stream, RecordReader records)
    {
        source = new ByteSource(stream);
        this.records = records;
    }

    /// <summary>The file formats that are read, by the end of the name.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".csv", ".jsonl", ".ndjson", ".json"];

    /// <summary>Line of the file on which the current record begins, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>The current record as a JSON object; empty when there is a <see cref="Problem"/>.</summary>
    public ReadOnlyMemory<byte> Json => records.Json;

    /// <summary>Why the current record cannot be read; null when it can. Whether its JSON is good is the decoder's matter.</summary>
    public string? Problem => records.Problem;

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path; the name says what it is.</param>
    /// <param name="textColumns">CSV columns whose cells are texts even where they look like numbers.</param>
    /// <exception cref="NotSupportedException">The name ends in none of <see cref="Extensions"/>.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static EventFile Open(string path, IReadOnlySet<string>? textColumns = null)
    {
        bool isGzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        string extension = Path.GetExtension(isGzip ? path[..^3] : path).ToLowerInvariant();
        RecordReader reader = extension switch
        {
            ".csv" => new CsvRecords(textColumns),
            ".jsonl" or ".ndjson" => new LineRecords(),
            ".json" => new ObjectRecords(),
            _ => throw new NotSupportedException($"{path}: a file of events ends in {string.Join(", ", Extensions)}, with or without .gz"),
        };
        Stream stream = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        return new EventFile(isGzip ? new GZipStream(stream, CompressionMode.Decompress) : stream, reader);
    }

    /// <summary>Goes to the next record. Empty lines are none.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="InvalidDataException">A record is larger than 64 MiB, or the compressed data is broken.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public bool Read()
    {
        if (!records.Read(source))
        {
            return false;
        }

        LineNumber = records.LineNumber;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();
}
