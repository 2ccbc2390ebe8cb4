using Confluent.Kafka;
using Scoring.Models.Events;

namespace Scoring.Worker.Lanes;

/// <summary>A record that arrived together with a decision of the group: it waits until the batch before it is done and the decision followed.</summary>
internal sealed class PendingRow
{
    private readonly TransactionBatch? row;

    private PendingRow(TransactionBatch? row, ConsumeResult<int, Refusal> result, int rewinds)
    {
        Rewinds = rewinds;
        this.row = row;
        Refusal = result.Message.Value;
        Partition = result.Partition.Value;
        Offset = result.Offset.Value;
        LeaderEpoch = result.LeaderEpoch;
        Timestamp = result.Message.Timestamp;
        Headers = result.Message.Headers;
    }

    /// <summary>Why it was refused, or none. A refused one's bytes stay in the reader's buffers until the next read.</summary>
    public Refusal Refusal { get; }

    /// <summary>Its partition.</summary>
    public int Partition { get; }

    /// <summary>Its offset.</summary>
    public long Offset { get; }

    /// <summary>Leader epoch of its batch; null where the broker tells none.</summary>
    public int? LeaderEpoch { get; }

    /// <summary>Its time stamp.</summary>
    public Timestamp Timestamp { get; }

    /// <summary>How often its partition had been taken back when it came: after one more it is read again.</summary>
    public int Rewinds { get; }

    /// <summary>Its headers.</summary>
    public Headers? Headers { get; }

    /// <summary>Copies the row that was begun last in <paramref name="batch"/>.</summary>
    /// <param name="batch">The lane's batch.</param>
    /// <param name="result">The record.</param>
    /// <param name="partition">Its partition, where the lane owned it already.</param>
    public static PendingRow Of(TransactionBatch batch, ConsumeResult<int, Refusal> result, PartitionInput? partition)
    {
        TransactionBatch? copy = null;
        if (result.Message.Value.IsNone)
        {
            copy = new TransactionBatch(batch.Schema, 1);
            copy.CopyRow(batch, batch.RowCount);
        }

        return new PendingRow(copy, result, partition?.Rewinds ?? 0);
    }

    /// <summary>Begins the row anew in <paramref name="batch"/>.</summary>
    public void CopyTo(TransactionBatch batch)
    {
        if (row is not null)
        {
            batch.CopyRow(row, 0);
        }
    }
}
