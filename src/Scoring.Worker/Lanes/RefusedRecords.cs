using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Copies of refused records of one partition, in offset order: they wait until everything before them is answered.</summary>
/// <param name="bytesMax">Most bytes that wait before the partition is paused.</param>
internal sealed class RefusedRecords(long bytesMax)
{
    private readonly Queue<RefusedRecord> records = new();
    private long bytes;

    /// <summary>Records that wait.</summary>
    public int Count => records.Count;

    /// <summary>Source offset of the first; only when <see cref="Count"/> is above 0.</summary>
    public long HeadOffset => records.Peek().Offset;

    /// <summary>Whether no more may be read meanwhile.</summary>
    public bool AreMany => bytes >= bytesMax;

    /// <summary>Copies a record to the end.</summary>
    public void Add(in RefusedRecord record)
    {
        records.Enqueue(record with { Key = Copy(record.Key), Value = Copy(record.Value) });
        bytes += record.Key.Span.Length + record.Value.Span.Length;
    }

    /// <summary>Takes the first away.</summary>
    public RefusedRecord Remove()
    {
        var record = records.Dequeue();
        bytes -= record.Key.Span.Length + record.Value.Span.Length;
        return record;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        records.Clear();
        bytes = 0;
    }

    private static RecordBuffer Copy(RecordBuffer buffer)
    {
        var copy = new RecordBuffer();
        copy.Keep(buffer.Span, buffer.IsNull);
        return copy;
    }
}
