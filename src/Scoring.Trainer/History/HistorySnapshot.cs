using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Labels;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.History;

/// <summary>What was known at one time, as one history: the segments' transactions, sorted, each with what its labels come to.</summary>
/// <remarks>
/// A transaction is <em>mature</em> when the definition's label delay has passed since it. A mature one is fraud or honest by its label, and
/// honest where none has come: nobody reports an honest payment. One that is not mature is not known, whatever was already said of it: the
/// frauds that are reported early are not like the rest. Of a transaction that came twice (a payment's retry) the first carries the label.
/// The result depends on the topics' records and the time alone, not on how they were cut into segments.
/// </remarks>
internal static class HistorySnapshot
{
    /// <summary>What a snapshot holds.</summary>
    /// <param name="Rows">Transactions.</param>
    /// <param name="Mature">Those of known outcome.</param>
    /// <param name="Frauds">Frauds among them.</param>
    /// <param name="Late">Labels that came after their transaction was mature.</param>
    /// <param name="Repetitions">Transactions that had come before.</param>
    /// <param name="FirstMs">Earliest event time, ms since 1970 UTC.</param>
    /// <param name="Labels">What became of the labels.</param>
    internal sealed record Summary(int Rows, int Mature, int Frauds, int Late, int Repetitions, long FirstMs, LabelCounts Labels);

    /// <summary>Writes a snapshot.</summary>
    /// <param name="folder">The segments; everything is sealed.</param>
    /// <param name="definition">The service.</param>
    /// <param name="schema">Columns of its events.</param>
    /// <param name="window">Event times that are taken; its end is the time that is looked at.</param>
    /// <param name="path">History to write.</param>
    /// <param name="cancellation">Stops the writing.</param>
    /// <exception cref="TrainerException">There is no transaction in the window.</exception>
    public static async Task<Summary> WriteAsync(SegmentFolder folder, ServiceDefinition definition, EventSchema schema, TimeWindow window, string path, CancellationToken cancellation)
    {
        var ledger = new LabelLedger(await ReadLabelsAsync(folder, cancellation), window.ToMs);
        var chunks = await GatherAsync(folder, schema, window, cancellation);
        if (chunks.Count == 0)
        {
            throw new TrainerException(ExitCode.Data, $"no transaction of {window} is recorded");
        }

        var summary = Join(chunks, ledger, (long)definition.Labels.Delay.TotalMilliseconds, window.ToMs);
        await HistoryWriter.WriteAsync(path, definition.Service, chunks, cancellation);
        return summary;
    }

    /// <summary>Every label recorded.</summary>
    public static async Task<IReadOnlyList<LabelRecord>> ReadLabelsAsync(SegmentFolder folder, CancellationToken cancellation)
    {
        var labels = new List<LabelRecord>();
        foreach (var segment in folder.Of(SourceKind.Labels))
        {
            labels.AddRange(await LabelSegmentFile.ReadAsync(segment, cancellation));
        }

        return labels;
    }

    private static async Task<List<HistoryChunk>> GatherAsync(SegmentFolder folder, EventSchema schema, TimeWindow window, CancellationToken cancellation)
    {
        var chunks = new List<HistoryChunk>();
        foreach (var segment in folder.Of(SourceKind.Transactions).Where(segment => segment.LastMs >= window.FromMs && segment.FirstMs < window.ToMs))
        {
            await using var reader = await HistoryReader.OpenAsync(segment.Path, schema, cancellation);
            await foreach (var source in reader.ReadAsync(cancellation))
            {
                for (int row = 0; row < source.Batch.RowCount; row++)
                {
                    if (!window.Contains(source.Batch.EventTimesMs[row]))
                    {
                        continue;
                    }

                    if (chunks is not [.., { Batch.IsFull: false }])
                    {
                        chunks.Add(new HistoryChunk(schema, HistoryColumns.RowsPerGroup));
                    }

                    var batch = chunks[^1].Batch;
                    batch.CopyRow(source.Batch, row);
                    batch.Accept(source.Batch.Partitions[row], source.Batch.Offsets[row], source.Batch.AppendTimesMs[row]);
                }
            }
        }

        return chunks;
    }

    private static Summary Join(List<HistoryChunk> chunks, LabelLedger ledger, long delayMs, long asOfMs)
    {
        var firsts = Firsts(chunks);
        int rows = 0, mature = 0, frauds = 0, late = 0;
        long firstMs = long.MaxValue;
        foreach (var chunk in chunks)
        {
            var batch = chunk.Batch;
            for (int row = 0; row < batch.RowCount; row++, rows++)
            {
                long timeMs = batch.EventTimesMs[row];
                firstMs = Math.Min(firstMs, timeMs);
                (chunk.IsFraud[row], chunk.ReportedAtMs[row]) = (-1, long.MinValue);
                string id = Encoding.UTF8.GetString(batch.TransactionIds[row]);
                if (firsts[id] != PlaceOf(batch, row))
                {
                    continue;
                }

                var verdict = ledger.Join(id);
                if (timeMs + delayMs > asOfMs)
                {
                    continue;
                }

                mature++;
                frauds += verdict?.IsFraud == true ? 1 : 0;
                late += verdict?.ReportedAtMs > timeMs + delayMs ? 1 : 0;
                chunk.IsFraud[row] = verdict?.IsFraud == true ? (sbyte)1 : (sbyte)0;
                chunk.ReportedAtMs[row] = Math.Max(verdict?.ReportedAtMs ?? timeMs + delayMs, timeMs);
            }
        }

        return new(rows, mature, frauds, late, rows - firsts.Count, firstMs, ledger.Counts);
    }

    private static Dictionary<string, (long TimeMs, int Partition, long Offset)> Firsts(List<HistoryChunk> chunks)
    {
        var firsts = new Dictionary<string, (long, int, long)>(StringComparer.Ordinal);
        foreach (var batch in chunks.Select(chunk => chunk.Batch))
        {
            for (int row = 0; row < batch.RowCount; row++)
            {
                string id = Encoding.UTF8.GetString(batch.TransactionIds[row]);
                var place = PlaceOf(batch, row);
                if (!firsts.TryGetValue(id, out var first) || place.CompareTo(first) < 0)
                {
                    firsts[id] = place;
                }
            }
        }

        return firsts;
    }

    private static (long TimeMs, int Partition, long Offset) PlaceOf(TransactionBatch batch, int row) => (batch.EventTimesMs[row], batch.Partitions[row], batch.Offsets[row]);
}
