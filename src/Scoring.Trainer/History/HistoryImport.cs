using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Files;

namespace Scoring.Trainer.History;

/// <summary>Takes a customer's file into a history, through the worker's own decoder: what the worker would refuse is refused here.</summary>
internal sealed class HistoryImport
{
    private const int ProgressRows = 16_384;

    private readonly ServiceDefinition definition;
    private readonly EventDecoder decoder;
    private readonly OutcomeReader? outcomes;
    private readonly EventHeaders headers = new();
    private readonly long nowMs;
    private readonly long labelDelayMs;
    private readonly List<HistoryChunk> chunks = [];

    /// <summary>Prepares an import.</summary>
    /// <param name="definition">Says how events are read.</param>
    /// <param name="now">The time; later events are refused.</param>
    public HistoryImport(ServiceDefinition definition, DateTimeOffset now)
    {
        this.definition = definition;
        decoder = new EventDecoder(definition);
        outcomes = definition.Labels.Path is null ? null : new OutcomeReader(definition.Labels);
        nowMs = now.ToUnixTimeMilliseconds();
        labelDelayMs = (long)definition.Labels.Delay.TotalMilliseconds;
        HistoryColumns.RequireFree(decoder.Schema);
        chunks.Add(new HistoryChunk(decoder.Schema, HistoryColumns.RowsPerGroup));
    }

    /// <summary>What an import has done.</summary>
    internal sealed record Summary(int Rows, int Labelled, int Frauds, int LabelsWithoutTransaction, long FirstMs, long LastMs);

    /// <summary>Imports a file and writes the history.</summary>
    /// <param name="inputPath">.csv, .jsonl, .ndjson, .json (each may be .gz) or .parquet.</param>
    /// <param name="labelsPath">File of labels, or null.</param>
    /// <param name="outputPath">History to write.</param>
    /// <param name="rejects">Told of rows that are refused.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellation">Stops the import.</param>
    /// <exception cref="TrainerException">The file cannot be read, or no row of it is taken.</exception>
    public async Task<Summary> RunAsync(
        string inputPath, string? labelsPath, string outputPath, ImportRejects rejects, Action<string, double> progress, CancellationToken cancellation)
    {
        long records = 0;
        progress("reading", 0);
        await foreach (var record in RecordsAsync(inputPath, cancellation))
        {
            Take(inputPath, record, rejects);
            if (++records % ProgressRows == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress("reading", Math.Min(0.99, records / (records + (double)(ProgressRows * 8))));
            }
        }

        progress("reading", 1);
        int withoutTransaction = labelsPath is null ? 0 : Join(LabelFile.Read(labelsPath, definition, decoder.Schema, nowMs, rejects));
        var summary = Summarise(withoutTransaction);
        if (labelsPath is not null)
        {
            TakeMaturedAsHonest(summary.LastMs);
        }

        if (summary.Rows == 0)
        {
            throw new TrainerException(ExitCode.Data, $"{inputPath}: none of {records} records was taken; the first reasons stand above, all of them in {rejects.Path}");
        }

        progress("writing", 0);
        await HistoryWriter.WriteAsync(outputPath, definition.Service, chunks, cancellation);
        progress("writing", 1);
        return summary;
    }

    private void Take(string source, ImportedRecord record, ImportRejects rejects)
    {
        if (record.Problem is { } problem)
        {
            rejects.Add(source, record.LineNumber, problem);
            return;
        }

        if (chunks[^1].Batch.IsFull)
        {
            chunks.Add(new HistoryChunk(decoder.Schema, HistoryColumns.RowsPerGroup));
        }

        var chunk = chunks[^1];
        var refusal = decoder.Decode(record.Json.Span, isNull: false, headers, nowMs, chunk.Batch);
        if (!refusal.IsNone)
        {
            rejects.Add(source, record.LineNumber, refusal);
            return;
        }

        int row = chunk.Batch.RowCount;
        chunk.Batch.Accept(partition: 0, record.LineNumber, appendTimeMs: 0);
        chunk.IsFraud[row] = outcomes?.Read(record.Json.Span) ?? -1;
        chunk.ReportedAtMs[row] = chunk.IsFraud[row] < 0 ? long.MinValue : chunk.Batch.EventTimesMs[row] + labelDelayMs;
    }

    private async IAsyncEnumerable<ImportedRecord> RecordsAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        if (path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase))
        {
            await foreach (var record in ParquetRecords.ReadAsync(path, cancellation))
            {
                yield return record;
            }

            yield break;
        }

        using var file = Open(path);
        while (Read(file, path))
        {
            yield return new(file.LineNumber, file.Json, file.Problem);
        }
    }

    private EventFile Open(string path)
    {
        try
        {
            return EventFile.Open(path, TextColumns());
        }
        catch (NotSupportedException e)
        {
            throw new TrainerException(ExitCode.Usage, $"{e.Message}, or .parquet", e);
        }
    }

    private static bool Read(EventFile file, string path)
    {
        try
        {
            return file.Read();
        }
        catch (InvalidDataException e)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: after line {file.LineNumber}: {e.Message}", e);
        }
    }

    // Identifiers are texts in CSV too, whatever they look like: 007 is not 7.
    private HashSet<string> TextColumns()
    {
        var columns = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in decoder.Schema.Fields.Where(field => field.Kind == FieldKind.Text))
        {
            var mapping = definition.Events.Fields?.GetValueOrDefault(field.Name) ?? definition.Events.Attributes.GetValueOrDefault(field.Name);
            columns.Add(mapping?.Path ?? field.Name);
        }

        return columns;
    }

    private int Join(Dictionary<string, LabelFile.Outcome> labels)
    {
        int joined = 0;
        foreach (var chunk in chunks)
        {
            for (int row = 0; row < chunk.Batch.RowCount; row++)
            {
                if (labels.TryGetValue(Encoding.UTF8.GetString(chunk.Batch.TransactionIds[row]), out var outcome))
                {
                    chunk.IsFraud[row] = outcome.IsFraud;
                    chunk.ReportedAtMs[row] = Math.Max(outcome.ReportedAtMs, chunk.Batch.EventTimesMs[row]);
                    joined++;
                }
            }
        }

        return labels.Count - Math.Min(joined, labels.Count);
    }

    // Nobody reports an honest payment: one that nothing was said of within the delay counts as honest from then on.
    private void TakeMaturedAsHonest(long lastMs)
    {
        foreach (var chunk in chunks)
        {
            var times = chunk.Batch.EventTimesMs;
            for (int row = 0; row < times.Length; row++)
            {
                if (chunk.IsFraud[row] < 0 && times[row] + labelDelayMs <= lastMs)
                {
                    chunk.IsFraud[row] = 0;
                    chunk.ReportedAtMs[row] = times[row] + labelDelayMs;
                }
            }
        }
    }

    private Summary Summarise(int labelsWithoutTransaction)
    {
        int rows = 0;
        int labelled = 0;
        int frauds = 0;
        long first = long.MaxValue;
        long last = long.MinValue;
        foreach (var chunk in chunks)
        {
            int count = chunk.Batch.RowCount;
            rows += count;
            labelled += chunk.IsFraud.AsSpan(0, count).Count((sbyte)1) + chunk.IsFraud.AsSpan(0, count).Count((sbyte)0);
            frauds += chunk.IsFraud.AsSpan(0, count).Count((sbyte)1);
            foreach (long time in chunk.Batch.EventTimesMs)
            {
                first = Math.Min(first, time);
                last = Math.Max(last, time);
            }
        }

        return new(rows, labelled, frauds, labelsWithoutTransaction, first, last);
    }
}
