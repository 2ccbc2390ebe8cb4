using System.Collections.ObjectModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Parquet;
using Parquet.Schema;
using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>Writes decoded transactions with their outcomes as one history file, sorted.</summary>
internal static class HistoryWriter
{
    /// <summary>Writes the file beside its final name first and onto the disk, so that a broken run leaves no half a history.</summary>
    /// <param name="path">File to write; replaced if it is there.</param>
    /// <param name="service">Service whose definition decoded the rows.</param>
    /// <param name="chunks">Rows in any order.</param>
    /// <param name="cancellation">Stops the writing.</param>
    /// <returns>Rows written.</returns>
    public static async Task<int> WriteAsync(string path, string service, IReadOnlyList<HistoryChunk> chunks, CancellationToken cancellation)
    {
        string unfinished = path + ".unfinished";
        int rows = await WriteUnfinishedAsync(unfinished, service, chunks, ReadOnlyDictionary<string, string>.Empty, cancellation);
        File.Move(unfinished, path, overwrite: true);
        return rows;
    }

    /// <summary>Writes a file under the name given and onto the disk.</summary>
    /// <param name="unfinished">File to write; replaced if it is there.</param>
    /// <param name="service">Service whose definition decoded the rows.</param>
    /// <param name="chunks">Rows in any order.</param>
    /// <param name="metadata">What the file shall say about itself beside what every history says.</param>
    /// <param name="cancellation">Stops the writing.</param>
    /// <returns>Rows written.</returns>
    public static async Task<int> WriteUnfinishedAsync(
        string unfinished, string service, IReadOnlyList<HistoryChunk> chunks, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation)
    {
        var schema = chunks[0].Batch.Schema;
        var order = Order(chunks);
        await using var file = File.Create(unfinished);
        var columns = new HistoryColumns(schema);
        await using (var writer = await ParquetWriter.CreateAsync(columns.Parquet, file, cancellationToken: cancellation))
        {
            writer.CustomMetadata = new Dictionary<string, string>(metadata, StringComparer.Ordinal)
            {
                [HistoryColumns.FormatKey] = HistoryColumns.Format,
                [HistoryColumns.ServiceKey] = service,
                [HistoryColumns.RowsKey] = order.Length.ToString(CultureInfo.InvariantCulture),
            };
            for (int start = 0; start < order.Length; start += HistoryColumns.RowsPerGroup)
            {
                var rows = new ArraySegment<RowPlace>(order, start, Math.Min(HistoryColumns.RowsPerGroup, order.Length - start));
                await WriteGroupAsync(writer, columns, schema, chunks, rows, cancellation);
            }
        }

        file.Flush(flushToDisk: true);
        return order.Length;
    }

    private static async Task WriteGroupAsync(
        ParquetWriter writer, HistoryColumns columns, EventSchema schema, IReadOnlyList<HistoryChunk> chunks, ArraySegment<RowPlace> rows, CancellationToken cancellation)
    {
        using var group = writer.CreateRowGroup();
        for (int field = 0; field < schema.Fields.Count; field++)
        {
            int column = schema.ColumnIndex(field);
            var target = columns.Fields[field];
            switch (schema.Fields[field].Kind)
            {
                case FieldKind.Text:
                    await group.WriteAsync(target, Gather<string>(rows, place => Text(chunks[place.Chunk].Batch.Text(column), place.Row)));
                    break;
                case FieldKind.Number:
                    await WriteValuesAsync(target, place => Present(chunks[place.Chunk].Batch.Numbers(column)[place.Row]));
                    break;
                case FieldKind.Boolean:
                    await WriteValuesAsync(target, place => Present(chunks[place.Chunk].Batch.Booleans(column)[place.Row]));
                    break;
                case FieldKind.Integer:
                    await WriteValuesAsync(target, place => Present(chunks[place.Chunk].Batch.Integers(column)[place.Row]));
                    break;
                case FieldKind.Time:
                    await WriteValuesAsync(target, place => Present(chunks[place.Chunk].Batch.Times(column)[place.Row]));
                    break;
            }
        }

        await WriteValuesAsync(columns.IsFraud, place => Present(chunks[place.Chunk].IsFraud[place.Row]));
        await WriteValuesAsync(columns.ReportedAt, place => Present(chunks[place.Chunk].ReportedAtMs[place.Row]));
        await group.WriteAsync<int>(columns.Partition, Gather(rows, place => chunks[place.Chunk].Batch.Partitions[place.Row]), cancellationToken: cancellation);
        await group.WriteAsync<long>(columns.Offset, Gather(rows, place => chunks[place.Chunk].Batch.Offsets[place.Row]), cancellationToken: cancellation);
        group.CompleteValidate();

        Task WriteValuesAsync<T>(DataField target, Func<RowPlace, T?> value)
            where T : struct =>
            group.WriteAsync<T>(target, Gather(rows, value), cancellationToken: cancellation);
    }

    private static T[] Gather<T>(ArraySegment<RowPlace> rows, Func<RowPlace, T> value)
    {
        var gathered = new T[rows.Count];
        for (int i = 0; i < gathered.Length; i++)
        {
            gathered[i] = value(rows[i]);
        }

        return gathered;
    }

    // Rows of one time by where they came from: whatever the order in which partitions were read, the file is the same.
    private static RowPlace[] Order(IReadOnlyList<HistoryChunk> chunks)
    {
        var places = new List<RowPlace>();
        for (int chunk = 0; chunk < chunks.Count; chunk++)
        {
            for (int row = 0; row < chunks[chunk].Batch.RowCount; row++)
            {
                places.Add(new(chunk, row));
            }
        }

        return
        [
            .. places.OrderBy(place => chunks[place.Chunk].Batch.EventTimesMs[place.Row])
                .ThenBy(place => chunks[place.Chunk].Batch.Partitions[place.Row])
                .ThenBy(place => chunks[place.Chunk].Batch.Offsets[place.Row]),
        ];
    }

    private static string Text(TextColumn column, int row) => column.Has(row) ? Encoding.UTF8.GetString(column[row]) : null!;

    private static double? Present(double value) => double.IsNaN(value) ? null : value;

    private static long? Present(long value) => value == long.MinValue ? null : value;

    private static bool? Present(sbyte value) => value < 0 ? null : value == 1;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct RowPlace(int Chunk, int Row);
}
