using System.Globalization;
using System.Text;
using Scoring.Models.Events;
using Scoring.Trainer.Commands;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Training;
using Scoring.Trainer.Watching;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>What a trainer has recorded, as lines that do not say when it was recorded.</summary>
internal static class RecordedHistory
{
    /// <summary>Every transaction with its place on the topic and what its labels come to, then every label.</summary>
    /// <param name="data">The trainer's folder; the trainer has ended.</param>
    /// <param name="definition">Path of the definition.</param>
    public static async Task<List<string>> LinesAsync(string data, string definition)
    {
        var service = CommonOptions.ReadDefinition(definition);
        var schema = EventSchema.From(service);
        var folder = new WatchFolder(data, service.Service);
        using var history = await SegmentFolder.OpenAsync(folder.History, service.Service, onStep: null, TestContext.Current.CancellationToken);
        await HistorySnapshot.WriteAsync(history, service, schema, new TimeWindow(long.MinValue, LoopShop.Start.AddYears(1).ToUnixTimeMilliseconds()), folder.Snapshot, TestContext.Current.CancellationToken);
        var lines = new List<string>();
        await using (var reader = await HistoryReader.OpenAsync(folder.Snapshot, schema, TestContext.Current.CancellationToken))
        {
            await foreach (var chunk in reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                for (int row = 0; row < chunk.Batch.RowCount; row++)
                {
                    lines.Add(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{chunk.Batch.Partitions[row]}:{chunk.Batch.Offsets[row]} {Encoding.UTF8.GetString(chunk.Batch.TransactionIds[row])} {chunk.Batch.EventTimesMs[row]} {chunk.IsFraud[row]} {chunk.ReportedAtMs[row]}"));
                }
            }
        }

        var labels = await HistorySnapshot.ReadLabelsAsync(history, TestContext.Current.CancellationToken);
        lines.AddRange(labels.OrderBy(label => (label.Partition, label.Offset)).Select(label => label.ToString()));
        return lines;
    }
}
