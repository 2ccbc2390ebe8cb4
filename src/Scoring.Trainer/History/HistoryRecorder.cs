using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Labels;

namespace Scoring.Trainer.History;

/// <summary>Takes the records of both topics into a folder of segments, through the worker's own decoders.</summary>
/// <remarks>
/// What is not yet sealed is in memory only: after a kill it is read from Kafka again, from <see cref="Position"/>. A record below the position
/// of its partition was taken before and is passed over.
/// </remarks>
internal sealed class HistoryRecorder
{
    private const int ChunkRows = 8_192;

    private readonly SegmentFolder folder;
    private readonly EventDecoder decoder;
    private readonly LabelDecoder labelDecoder;
    private readonly LabelBatch labelBatch;
    private readonly List<HistoryChunk> chunks = [];
    private readonly List<LabelRecord> labels = [];
    private readonly Dictionary<SourceKind, Dictionary<int, long>> next = [];

    /// <summary>Goes on where the folder ends.</summary>
    public HistoryRecorder(ServiceDefinition definition, SegmentFolder folder)
    {
        this.folder = folder;
        decoder = new EventDecoder(definition);
        HistoryColumns.RequireFree(decoder.Schema);
        labelDecoder = new LabelDecoder(definition, decoder.Schema);
        labelBatch = new LabelBatch(decoder.Schema, rowsMax: 1);
        foreach (var kind in Enum.GetValues<SourceKind>())
        {
            next[kind] = folder.Recorded(kind).All.ToDictionary();
        }

        var transactions = folder.Of(SourceKind.Transactions);
        FirstEventMs = transactions.Count == 0 ? null : transactions.Min(segment => segment.FirstMs);
        LastEventMs = transactions.Count == 0 ? null : transactions.Max(segment => segment.LastMs);
    }

    /// <summary>Columns of the transactions.</summary>
    public EventSchema Schema => decoder.Schema;

    /// <summary>What became of the records.</summary>
    public IntakeCounts Counts { get; } = new();

    /// <summary>Earliest event time taken, ms since 1970 UTC; null before the first. With <see cref="LastEventMs"/>, what a replay uses as its clock.</summary>
    public long? FirstEventMs { get; private set; }

    /// <summary>Latest event time taken, ms since 1970 UTC; null before the first.</summary>
    public long? LastEventMs { get; private set; }

    /// <summary>Rows that are in memory only.</summary>
    public int UnsealedRows => chunks.Sum(chunk => chunk.Batch.RowCount) + labels.Count;

    /// <summary>Offset from which a partition is read on; null when nothing of it was taken.</summary>
    public long? Position(SourceKind kind, int partition) => next[kind].TryGetValue(partition, out long offset) ? offset : null;

    /// <summary>Takes a record. What the decoder refuses is counted: the worker has made a dead letter of it.</summary>
    /// <param name="kind">The topic that it comes from.</param>
    /// <param name="record">The record; offsets of a partition must ascend.</param>
    /// <param name="nowMs">Wall clock: what is in the future and what is not, ms since 1970 UTC.</param>
    public void Take(SourceKind kind, SourceRecord record, long nowMs)
    {
        if (record.Offset < next[kind].GetValueOrDefault(record.Partition))
        {
            return;
        }

        next[kind][record.Partition] = record.Offset + 1;
        var refusal = kind == SourceKind.Transactions ? TakeTransaction(record, nowMs) : TakeLabel(record, nowMs);
        if (refusal.IsNone)
        {
            Counts.Take(kind);
        }
        else
        {
            Counts.Refuse(kind, refusal.Code);
        }
    }

    /// <summary>Makes segments of what is in memory.</summary>
    public async Task SealAsync(CancellationToken cancellation)
    {
        if (chunks.Count > 0)
        {
            await folder.AddAsync(chunks, SourcePositions.Of(next[SourceKind.Transactions]), cancellation);
            chunks.Clear();
        }

        if (labels.Count > 0)
        {
            await folder.AddAsync([.. labels], SourcePositions.Of(next[SourceKind.Labels]), cancellation);
            labels.Clear();
        }
    }

    private Refusal TakeTransaction(SourceRecord record, long nowMs)
    {
        if (chunks is not [.., { Batch.IsFull: false }])
        {
            chunks.Add(new HistoryChunk(decoder.Schema, ChunkRows));
        }

        var chunk = chunks[^1];
        var refusal = decoder.Decode(record.Value, record.Value is null, record.Headers, nowMs, chunk.Batch);
        if (!refusal.IsNone)
        {
            if (chunk.Batch.RowCount == 0)
            {
                chunks.RemoveAt(chunks.Count - 1);
            }

            return refusal;
        }

        int row = chunk.Batch.RowCount;
        chunk.Batch.Accept(record.Partition, record.Offset, record.AppendTimeMs);
        chunk.IsFraud[row] = -1;
        chunk.ReportedAtMs[row] = long.MinValue;
        long timeMs = chunk.Batch.EventTimesMs[row];
        FirstEventMs = Math.Min(FirstEventMs ?? timeMs, timeMs);
        LastEventMs = Math.Max(LastEventMs ?? timeMs, timeMs);
        return refusal;
    }

    private Refusal TakeLabel(SourceRecord record, long nowMs)
    {
        const int Row = 0;
        labelBatch.Clear();
        var refusal = labelDecoder.Decode(record.Value, record.Value is null, record.Headers, nowMs, labelBatch);
        if (refusal.IsNone)
        {
            long timeMs = labelBatch.Facts.Times(decoder.Schema.EventTime)[Row];
            labels.Add(new()
            {
                LabelId = Encoding.UTF8.GetString(labelBatch.LabelIds[Row]),
                TransactionId = Encoding.UTF8.GetString(labelBatch.TransactionIds[Row]),
                AccountId = Encoding.UTF8.GetString(labelBatch.AccountIds[Row]),
                IsFraud = labelBatch.IsFraud[Row],
                Source = labelBatch.Sources[Row],
                ReportedAtMs = labelBatch.ReportedAtMs[Row] == long.MinValue ? record.AppendTimeMs : labelBatch.ReportedAtMs[Row],
                TransactionTimeMs = timeMs == long.MinValue ? null : timeMs,
                Supersedes = labelBatch.Supersedes.Has(Row) ? Encoding.UTF8.GetString(labelBatch.Supersedes[Row]) : null,
                Partition = record.Partition,
                Offset = record.Offset,
            });
        }

        return refusal;
    }
}
