using System.Runtime.CompilerServices;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.History;

/// <summary>Replays a history through the worker's own feature engine, labels included, as one partition.</summary>
/// <remarks>
/// A label counts from its transaction's time plus the delay on, whenever it came before that: it is handed over with its transaction, and a
/// slice of rows ends before such a time can pass inside it. A label that came later counts when it came: it waits here until the
/// events pass that time.
/// </remarks>
internal sealed class HistoryReplay : IDisposable
{
    private readonly FeatureEngine engine;
    private readonly PartitionState state;
    private readonly FeatureBlock block;
    private readonly long labelDelayMs;
    private readonly PriorityQueue<LateLabel, (long DueMs, long Order)> late = new();
    private long lateOrder;

    /// <summary>A replay from the beginning.</summary>
    /// <param name="plan">The features.</param>
    /// <param name="labelDelay">Time until a label counts.</param>
    /// <param name="keepExact">Whether the doubles behind the features are kept.</param>
    public HistoryReplay(FeaturePlan plan, TimeSpan labelDelay, bool keepExact)
    {
        Plan = plan;
        labelDelayMs = (long)labelDelay.TotalMilliseconds;
        engine = new FeatureEngine(plan, new SharedAggregates(plan, sourceCount: 1));
        state = new PartitionState(plan, partition: 0);
        block = new FeatureBlock(plan.FeatureCount, HistoryColumns.RowsPerGroup, keepExact);
    }

    /// <summary>The features.</summary>
    public FeaturePlan Plan { get; }

    /// <summary>Reads on until the end of a window and gives each chunk with rows in it, features of all rows computed.</summary>
    /// <param name="history">The history, from its beginning.</param>
    /// <param name="window">Rows asked for; everything before is replayed too.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancellation">Stops the replay.</param>
    public async IAsyncEnumerable<ReplayedChunk> RunAsync(HistoryReader history, TimeWindow window, Action<double> progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long rowsDone = 0;
        await foreach (var chunk in history.ReadAsync(cancellation))
        {
            var times = chunk.Batch.EventTimesMs;
            int first = LowerBound(times, window.FromMs);
            int end = LowerBound(times, window.ToMs);
            Process(chunk, end);
            rowsDone += chunk.Batch.RowCount;
            progress(rowsDone / (double)history.RowCount);
            if (end > first)
            {
                yield return new(chunk, block, first, end);
            }

            if (end < chunk.Batch.RowCount)
            {
                break;
            }
        }

        progress(1);
    }

    /// <inheritdoc/>
    public void Dispose() => state.Dispose();

    private void Process(HistoryChunk chunk, int end)
    {
        // Wherever the rows came from, they are replayed as one partition: accounts are the same, and shared entities are summed over all.
        Array.Clear(chunk.Batch.Partitions);
        ReadOnlySpan<PartitionState?> states = [state];
        for (int start = 0; start < end;)
        {
            ApplyLate(beforeMs: chunk.Batch.EventTimesMs[start]);
            int next = SliceEnd(chunk, start, end);
            engine.Process(chunk.Batch, start, next - start, states, block);
            state.DropForgottenAnswers(); // None was kept.
            for (int row = start; row < next; row++)
            {
                TakeLabel(chunk, row);
            }

            start = next;
        }
    }

    // One row at least; then as many as no label can begin to count among.
    private int SliceEnd(HistoryChunk chunk, int start, int end)
    {
        var times = chunk.Batch.EventTimesMs;
        long untilMs = times[start] + labelDelayMs;
        if (late.TryPeek(out _, out var due))
        {
            untilMs = Math.Min(untilMs, due.DueMs + 1);
        }

        int next = start + 1;
        while (next < end && times[next] < untilMs && !(chunk.IsFraud[next - 1] >= 0 && IsLate(chunk, next - 1)))
        {
            next++;
        }

        return next;
    }

    private bool IsLate(HistoryChunk chunk, int row) => chunk.ReportedAtMs[row] > chunk.Batch.EventTimesMs[row] + labelDelayMs;

    private void TakeLabel(HistoryChunk chunk, int row)
    {
        if (chunk.IsFraud[row] < 0)
        {
            return;
        }

        if (IsLate(chunk, row))
        {
            late.Enqueue(new(CopyRow(chunk.Batch, row), chunk.IsFraud[row]), (chunk.ReportedAtMs[row], lateOrder++));
        }
        else
        {
            engine.ApplyLabel(chunk.Batch.TransactionIds[row], chunk.IsFraud[row], chunk.Batch, row, state);
        }
    }

    private void ApplyLate(long beforeMs)
    {
        while (late.TryPeek(out var label, out var due) && due.DueMs < beforeMs)
        {
            late.Dequeue();
            engine.ApplyLabel(label.Facts.TransactionIds[0], label.IsFraud, label.Facts, 0, state);
        }
    }

    // What a label names: the time and the keys of its transaction.
    private static TransactionBatch CopyRow(TransactionBatch source, int row)
    {
        var copy = new TransactionBatch(source.Schema, rowsMax: 1);
        copy.NextRow();
        for (int column = 0; column < source.Schema.ColumnCounts[(int)FieldKind.Text]; column++)
        {
            if (source.Text(column).Has(row))
            {
                copy.Text(column).Set(0, source.Text(column)[row]);
            }
        }

        copy.Times(source.Schema.EventTime)[0] = source.EventTimesMs[row];
        copy.Accept(source.Partitions[row], source.Offsets[row], source.AppendTimesMs[row]);
        return copy;
    }

    private static int LowerBound(ReadOnlySpan<long> ascending, long value)
    {
        int low = 0;
        int high = ascending.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = ascending[middle] < value ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private sealed record LateLabel(TransactionBatch Facts, sbyte IsFraud);
}
