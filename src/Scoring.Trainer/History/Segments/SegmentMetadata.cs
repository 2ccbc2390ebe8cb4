using System.Globalization;
using Parquet;

namespace Scoring.Trainer.History.Segments;

/// <summary>What a segment says about itself in the metadata of its Parquet file.</summary>
internal static class SegmentMetadata
{
    private const string FromKey = "fraudscoring.segment.from";
    private const string ToKey = "fraudscoring.segment.to";
    private const string FirstKey = "fraudscoring.segment.first_ms";
    private const string LastKey = "fraudscoring.segment.last_ms";

    /// <summary>The entries for a segment that is written.</summary>
    public static IReadOnlyDictionary<string, string> Of(SourcePositions from, SourcePositions to, long firstMs, long lastMs) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [FromKey] = from.ToString(),
        [ToKey] = to.ToString(),
        [FirstKey] = firstMs.ToString(CultureInfo.InvariantCulture),
        [LastKey] = lastMs.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Reads what a file says about itself.</summary>
    /// <exception cref="TrainerException">It is damaged, no segment, or of another service.</exception>
    public static async Task<Segment> ReadAsync(SourceKind kind, long number, string path, string service, CancellationToken cancellation)
    {
        try
        {
            await using var file = await ParquetReader.CreateAsync(path, cancellationToken: cancellation);
            var metadata = file.CustomMetadata;
            string owner = metadata[HistoryColumns.ServiceKey];
            if (!string.Equals(owner, service, StringComparison.Ordinal))
            {
                throw new TrainerException(ExitCode.Configuration, $"{path}: holds the history of the service {owner}, not of {service}; give each service a folder of its own");
            }

            return new(
                kind,
                number,
                path,
                SourcePositions.Parse(metadata[FromKey]),
                SourcePositions.Parse(metadata[ToKey]),
                long.Parse(metadata[FirstKey], CultureInfo.InvariantCulture),
                long.Parse(metadata[LastKey], CultureInfo.InvariantCulture),
                int.Parse(metadata[HistoryColumns.RowsKey], CultureInfo.InvariantCulture),
                new FileInfo(path).Length);
        }
        catch (Exception e) when (e is not (OperationCanceledException or TrainerException))
        {
            throw new TrainerException(ExitCode.Data, $"{path}: no readable segment ({e.Message}); delete it and every later one of its kind, and their records are read from Kafka again", e);
        }
    }
}
