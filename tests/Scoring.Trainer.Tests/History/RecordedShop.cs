using System.Globalization;
using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Trainer.History;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.History;

/// <summary>The workshop's shop as two topics: records by partition, and the recorder that takes them.</summary>
internal static class RecordedShop
{
    public static readonly DateTimeOffset Epoch = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static long NowMs { get; } = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>The workshop's definition; labels come by topic.</summary>
    public static ServiceDefinition Definition { get; } = ServiceDefinitionReader.Read(Encoding.UTF8.GetBytes(
        Workshop.Definition.Replace(", \"path\": \"fraud\", \"fraud_values\": [1]", "", StringComparison.Ordinal))).Definition!;

    public static long Day(double day) => Epoch.ToUnixTimeMilliseconds() + (long)(day * 86_400_000);

    public static TimeWindow Until(double day) => new(Day(0), Day(day));

    public static SourceRecord Transaction(int partition, long offset, string id, double day, int card = 7, double amount = 10) => Record(
        partition, offset, day, string.Create(CultureInfo.InvariantCulture, $"{{\"id\":\"{id}\",\"at\":{(long)(day * 86_400)},\"card\":{card},\"shop\":1,\"amount\":{amount:0.##}}}"));

    public static SourceRecord Label(int partition, long offset, string id, string transaction, bool? isFraud, double day, string? supersedes = null)
    {
        string outcome = isFraud switch { true => "true", false => "false", null => "null" };
        string correction = supersedes is null ? "" : $",\"supersedes\":\"{supersedes}\"";
        return Record(partition, offset, day, string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"label_id\":\"{id}\",\"transaction_id\":\"{transaction}\",\"account_id\":\"7\",\"is_fraud\":{outcome},\"reported_at\":\"{Epoch.AddDays(day):yyyy-MM-ddTHH:mm:ssZ}\"{correction}}}"));
    }

    public static SourceRecord Record(int partition, long offset, double day, string json) => new(partition, offset, Encoding.UTF8.GetBytes(json), new EventHeaders(), Day(day));

    /// <summary>The rows of a snapshot as text, a line each.</summary>
    public static async Task<List<string>> RowsAsync(string path, EventSchema schema)
    {
        var rows = new List<string>();
        await using var reader = await HistoryReader.OpenAsync(path, schema, CancellationToken.None);
        await foreach (var chunk in reader.ReadAsync(CancellationToken.None))
        {
            for (int row = 0; row < chunk.Batch.RowCount; row++)
            {
                string outcome = chunk.IsFraud[row] switch { 1 => "fraud", 0 => "honest", _ => "not known" };
                rows.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{chunk.Batch.Partitions[row]}:{chunk.Batch.Offsets[row]} {Encoding.UTF8.GetString(chunk.Batch.TransactionIds[row])} {Time(chunk.Batch.EventTimesMs[row])} {outcome} {Time(chunk.ReportedAtMs[row])}"));
            }
        }

        return rows;
    }

    public static string Time(long timeMs) => timeMs == long.MinValue ? "-" : DateTimeOffset.FromUnixTimeMilliseconds(timeMs).ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture);
}
