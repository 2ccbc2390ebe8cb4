using System.Diagnostics;
using System.Text;

namespace Scoring.Models.Events.Scores;

/// <summary>The CloudEvents 1.0 headers (binary mode) of what a service publishes.</summary>
/// <remarks>
/// <see cref="Fixed"/> is the same for every record of a topic; <see cref="Id"/> and <see cref="Time"/> differ from record to record.
/// The time is the transaction's own, so that a record published again has the same headers.
/// </remarks>
public sealed class ScoreHeaders
{
    /// <summary>Type of a score.</summary>
    public const string ScoreType = "dev.fraudscoring.score.v1";

    /// <summary>Type of an alert.</summary>
    public const string AlertType = "dev.fraudscoring.alert.v1";

    /// <summary>Header with the record's deterministic UUID, <see cref="IdLength"/> ASCII bytes.</summary>
    public const string Id = "ce_id";

    /// <summary>Header with the transaction's time, RFC 3339, <see cref="TimeLength"/> ASCII bytes.</summary>
    public const string Time = "ce_time";

    /// <summary>Bytes of a written identifier.</summary>
    public const int IdLength = 36;

    /// <summary>Bytes of a written time.</summary>
    public const int TimeLength = Rfc3339Time.Length;

    private ScoreHeaders(string service, string type) =>
        Fixed =
        [
            new("ce_specversion", "1.0"u8.ToArray()),
            new("ce_type", Encoding.UTF8.GetBytes(type)),
            new("ce_source", Encoding.UTF8.GetBytes($"/services/{service}")),
            new("content-type", "application/json"u8.ToArray()),
        ];

    /// <summary>The headers that every record has, in the order in which they are sent.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Fixed { get; }

    /// <summary>The headers of a service's scores.</summary>
    public static ScoreHeaders OfScores(string service) => new(service, ScoreType);

    /// <summary>The headers of a service's alerts.</summary>
    public static ScoreHeaders OfAlerts(string service) => new(service, AlertType);

    /// <summary>Writes the value of <see cref="Id"/>.</summary>
    /// <param name="id">From <see cref="ScoreWriter.IdOf(ReadOnlySpan{byte})"/> or <see cref="AlertWriter.IdOf"/>.</param>
    /// <param name="destination">At least <see cref="IdLength"/> bytes.</param>
    public static void WriteId(Guid id, Span<byte> destination)
    {
        bool fits = id.TryFormat(destination, out _);
        Debug.Assert(fits);
    }

    /// <summary>Writes the value of <see cref="Time"/>.</summary>
    /// <param name="eventTimeMs">Milliseconds since 1970 UTC.</param>
    /// <param name="destination">At least <see cref="TimeLength"/> bytes.</param>
    public static void WriteTime(long eventTimeMs, Span<byte> destination) => Rfc3339Time.Write(eventTimeMs, destination);
}
