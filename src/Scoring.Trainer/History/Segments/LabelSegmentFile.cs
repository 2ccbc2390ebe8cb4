using System.Globalization;
using Parquet;
using Parquet.Schema;
using Scoring.Models.Events;
using Scoring.Trainer.Labels;

namespace Scoring.Trainer.History.Segments;

/// <summary>Labels as columns of a Parquet file.</summary>
internal static class LabelSegmentFile
{
    private static readonly DataField LabelId = new DataField<string>("label_id");
    private static readonly DataField TransactionId = new DataField<string>("transaction_id");
    private static readonly DataField AccountId = new DataField<string>("account_id");
    private static readonly DataField IsFraud = new DataField<bool?>("is_fraud");
    private static readonly DataField Source = new DataField<int>("source");
    private static readonly DataField ReportedAt = new DataField<long>("reported_at");
    private static readonly DataField TransactionTime = new DataField<long?>("transaction_time");
    private static readonly DataField Supersedes = new DataField<string>("supersedes");
    private static readonly DataField Partition = new DataField<int>(HistoryColumns.SourcePartition);
    private static readonly DataField Offset = new DataField<long>(HistoryColumns.SourceOffset);
    private static readonly ParquetSchema Schema = new(LabelId, TransactionId, AccountId, IsFraud, Source, ReportedAt, TransactionTime, Supersedes, Partition, Offset);

    /// <summary>Writes labels under the name given and onto the disk.</summary>
    /// <returns>Rows written.</returns>
    public static async Task<int> WriteAsync(string unfinished, string service, IReadOnlyList<LabelRecord> labels, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation)
    {
        await using var file = File.Create(unfinished);
        await using (var writer = await ParquetWriter.CreateAsync(Schema, file, cancellationToken: cancellation))
        {
            writer.CustomMetadata = new Dictionary<string, string>(metadata, StringComparer.Ordinal)
            {
                [HistoryColumns.ServiceKey] = service,
                [HistoryColumns.RowsKey] = labels.Count.ToString(CultureInfo.InvariantCulture),
            };
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(LabelId, Column(label => label.LabelId));
            await group.WriteAsync(TransactionId, Column(label => label.TransactionId));
            await group.WriteAsync(AccountId, Column(label => label.AccountId));
            await group.WriteAsync<bool>(IsFraud, Column(label => label.IsFraud < 0 ? null : (bool?)(label.IsFraud == 1)), cancellationToken: cancellation);
            await group.WriteAsync<int>(Source, Column(label => (int)label.Source), cancellationToken: cancellation);
            await group.WriteAsync<long>(ReportedAt, Column(label => label.ReportedAtMs), cancellationToken: cancellation);
            await group.WriteAsync<long>(TransactionTime, Column(label => label.TransactionTimeMs), cancellationToken: cancellation);
            await group.WriteAsync(Supersedes, Column(label => label.Supersedes!));
            await group.WriteAsync<int>(Partition, Column(label => label.Partition), cancellationToken: cancellation);
            await group.WriteAsync<long>(Offset, Column(label => label.Offset), cancellationToken: cancellation);
            group.CompleteValidate();
        }

        file.Flush(flushToDisk: true);
        return labels.Count;

        T[] Column<T>(Func<LabelRecord, T> value) => [.. labels.Select(value)];
    }

    /// <summary>Reads the labels of a segment in the order in which they came.</summary>
    public static async Task<IReadOnlyList<LabelRecord>> ReadAsync(Segment segment, CancellationToken cancellation)
    {
        await using var file = await ParquetReader.CreateAsync(segment.Path, cancellationToken: cancellation);
        using var group = file.OpenRowGroupReader(0);
        int count = segment.Rows;
        var (labelIds, transactionIds, accountIds, supersedes) = (new string?[count], new string?[count], new string?[count], new string?[count]);
        var isFraud = new bool?[count];
        var transactionTimes = new long?[count];
        var (sources, partitions) = (new int[count], new int[count]);
        var (reportedAt, offsets) = (new long[count], new long[count]);
        await group.ReadAsync(LabelId, labelIds.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync(TransactionId, transactionIds.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync(AccountId, accountIds.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync(Supersedes, supersedes.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<bool>(IsFraud, isFraud.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<int>(Source, sources.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<long>(ReportedAt, reportedAt.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<long>(TransactionTime, transactionTimes.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<int>(Partition, partitions.AsMemory(), cancellationToken: cancellation);
        await group.ReadAsync<long>(Offset, offsets.AsMemory(), cancellationToken: cancellation);
        return
        [
            .. Enumerable.Range(0, count).Select(row => new LabelRecord
            {
                LabelId = labelIds[row]!,
                TransactionId = transactionIds[row]!,
                AccountId = accountIds[row]!,
                IsFraud = isFraud[row] is { } fraud ? (sbyte)(fraud ? 1 : 0) : (sbyte)-1,
                Source = (LabelSource)sources[row],
                ReportedAtMs = reportedAt[row],
                TransactionTimeMs = transactionTimes[row],
                Supersedes = supersedes[row],
                Partition = partitions[row],
                Offset = offsets[row],
            }),
        ];
    }
}
