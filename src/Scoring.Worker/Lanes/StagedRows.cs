using Scoring.Models.Events;

namespace Scoring.Worker.Lanes;

/// <summary>Decoded rows of one partition that must wait, in offset order. Memory comes from the lane's pool of small batches and goes back there.</summary>
internal sealed class StagedRows(EventSchema schema, Stack<TransactionBatch> pool)
{
    private const int ChunkRows = 64;

    private readonly Queue<TransactionBatch> chunks = new();
    private TransactionBatch? last;
    private int headRow;

    /// <summary>Rows that wait.</summary>
    public int Count { get; private set; }

    /// <summary>The batch that holds the first row; only when <see cref="Count"/> is above 0.</summary>
    public TransactionBatch HeadBatch => chunks.Peek();

    /// <summary>The first row in <see cref="HeadBatch"/>.</summary>
    public int HeadRow => headRow;

    /// <summary>Event time of the first row, ms since 1970 UTC.</summary>
    public long HeadTimeMs => HeadBatch.EventTimesMs[headRow];

    /// <summary>Source offset of the first row.</summary>
    public long HeadOffset => HeadBatch.Offsets[headRow];

    /// <summary>Puts a row at the end.</summary>
    public void Add(TransactionBatch source, int sourceRow, int partition, long offset, long appendTimeMs)
    {
        if (last is null || last.IsFull)
        {
            last = pool.Count > 0 ? pool.Pop() : new TransactionBatch(schema, ChunkRows);
            chunks.Enqueue(last);
        }

        last.CopyRow(source, sourceRow);
        last.Accept(partition, offset, appendTimeMs);
        Count++;
    }

    /// <summary>Takes the first row away.</summary>
    public void RemoveHead()
    {
        Count--;
        if (++headRow == HeadBatch.RowCount)
        {
            Recycle();
        }
    }

    /// <summary>Gives all memory back.</summary>
    public void Clear()
    {
        while (chunks.Count > 0)
        {
            Recycle();
        }

        Count = 0;
    }

    private void Recycle()
    {
        var spent = chunks.Dequeue();
        spent.Clear();
        pool.Push(spent);
        headRow = 0;
        if (chunks.Count == 0)
        {
            last = null;
        }
    }
}
