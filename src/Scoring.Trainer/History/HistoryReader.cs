using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Parquet;
using Parquet.Schema;
using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>Reads a history file chunk by chunk, in its order.</summary>
internal sealed class HistoryReader : IAsyncDisposable
{
    private readonly ParquetReader parquet;
    private readonly EventSchema schema;
    private readonly HistoryColumns columns;

    private HistoryReader(ParquetReader parquet, EventSchema schema, HistoryColumns columns)
    {
        this.parquet = parquet;
        this.schema = schema;
        this.columns = columns;
    }

    /// <summary>Rows of the file.</summary>
    public long RowCount { get; private init; }

    /// <summary>What the file says about itself.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>Opens a history for a definition's events.</summary>
    /// <exception cref="TrainerException">There is no such file, it is no history, or it holds other fields than the definition reads.</exception>
    public static async Task<HistoryReader> OpenAsync(string path, EventSchema schema, CancellationToken cancellation)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such history; make one with: import");
        }

        ParquetReader file;
        try
        {
            file = await ParquetReader.CreateAsync(path, cancellationToken: cancellation);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: no readable Parquet file: {e.Message}", e);
        }

        var metadata = file.CustomMetadata;
        if (!string.Equals(metadata?.GetValueOrDefault(HistoryColumns.FormatKey), HistoryColumns.Format, StringComparison.Ordinal))
        {
            await file.DisposeAsync();
            throw new TrainerException(ExitCode.Data, $"{path}: not a history of format {HistoryColumns.Format}; make one with: import");
        }

        var expected = new HistoryColumns(schema);
        var found = file.Schema.GetDataFields().Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        var missing = expected.Fields.Select(field => field.Name).Where(name => !found.Contains(name)).ToList();
        if (missing.Count > 0)
        {
            await file.DisposeAsync();
            throw new TrainerException(ExitCode.Data, $"{path}: lacks the fields {string.Join(", ", missing)} that the definition reads; import the data again with this definition");
        }

        return new(file, schema, expected) { RowCount = long.Parse(metadata![HistoryColumns.RowsKey], CultureInfo.InvariantCulture), Metadata = metadata };
    }

    /// <summary>Every chunk in order. A chunk is overwritten by the next.</summary>
    public async IAsyncEnumerable<HistoryChunk> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var chunk = new HistoryChunk(schema, HistoryColumns.RowsPerGroup);
        long rowsBefore = 0;
        var found = parquet.Schema.GetDataFields().Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        bool hasSource = found.Contains(HistoryColumns.SourcePartition) && found.Contains(HistoryColumns.SourceOffset);
        for (int groupIndex = 0; groupIndex < parquet.RowGroupCount; groupIndex++)
        {
            using var group = parquet.OpenRowGroupReader(groupIndex);
            int rowCount = (int)group.RowCount;
            chunk.Batch.Clear();
            var batch = chunk.Batch;
            var partitions = new int[rowCount];
            var offsets = new long[rowCount];
            if (hasSource)
            {
                await group.ReadAsync<int>(columns.Partition, partitions.AsMemory(), cancellationToken: cancellation);
                await group.ReadAsync<long>(columns.Offset, offsets.AsMemory(), cancellationToken: cancellation);
            }

            for (int row = 0; row < rowCount; row++)
            {
                batch.NextRow();
                batch.Accept(partitions[row], hasSource ? offsets[row] : rowsBefore + row, appendTimeMs: 0);
            }

            rowsBefore += rowCount;

            for (int field = 0; field < schema.Fields.Count; field++)
            {
                await ReadFieldAsync(group, batch, field, rowCount, cancellation);
            }

            var isFraud = await ReadAsync<bool>(group, columns.IsFraud, rowCount, cancellation);
            var reportedAt = await ReadAsync<long>(group, columns.ReportedAt, rowCount, cancellation);
            for (int row = 0; row < rowCount; row++)
            {
                chunk.IsFraud[row] = isFraud[row] is { } fraud ? (sbyte)(fraud ? 1 : 0) : (sbyte)-1;
                chunk.ReportedAtMs[row] = reportedAt[row] ?? long.MinValue;
            }

            yield return chunk;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => parquet.DisposeAsync();

    private async Task ReadFieldAsync(ParquetRowGroupReader group, TransactionBatch batch, int field, int rowCount, CancellationToken cancellation)
    {
        var source = columns.Fields[field];
        int column = schema.ColumnIndex(field);
        switch (schema.Fields[field].Kind)
        {
            case FieldKind.Text:
                var texts = new string?[rowCount];
                await group.ReadAsync(source, texts.AsMemory(), cancellationToken: cancellation);
                SetTexts(batch.Text(column), texts);
                break;
            case FieldKind.Number:
                Fill(batch.Numbers(column), await ReadAsync<double>(group, source, rowCount, cancellation), double.NaN);
                break;
            case FieldKind.Integer:
                Fill(batch.Integers(column), await ReadAsync<long>(group, source, rowCount, cancellation), long.MinValue);
                break;
            case FieldKind.Time:
                Fill(batch.Times(column), await ReadAsync<long>(group, source, rowCount, cancellation), long.MinValue);
                break;
            case FieldKind.Boolean:
                var booleans = await ReadAsync<bool>(group, source, rowCount, cancellation);
                var target = batch.Booleans(column);
                for (int row = 0; row < rowCount; row++)
                {
                    target[row] = booleans[row] is { } value ? (sbyte)(value ? 1 : 0) : (sbyte)-1;
                }

                break;
        }
    }

    private static async Task<T?[]> ReadAsync<T>(ParquetRowGroupReader group, DataField source, int rowCount, CancellationToken cancellation)
        where T : struct
    {
        var values = new T?[rowCount];
        await group.ReadAsync<T>(source, values.AsMemory(), cancellationToken: cancellation);
        return values;
    }

    private static void Fill<T>(T[] target, T?[] values, T missing)
        where T : struct
    {
        for (int row = 0; row < values.Length; row++)
        {
            target[row] = values[row] ?? missing;
        }
    }

    private static void SetTexts(TextColumn target, string?[] values)
    {
        for (int row = 0; row < values.Length; row++)
        {
            if (values[row] is { Length: > 0 } text)
            {
                Encoding.UTF8.GetBytes(text, target.Reserve(row, Encoding.UTF8.GetByteCount(text)));
            }
        }
    }
}
