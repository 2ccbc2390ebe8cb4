using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Counts input that retention took before it was read: once, although a transaction that is taken back meets it again, and a partition may move to another lane before anything is committed. Safe from several threads.</summary>
/// <param name="partitionCount">Partitions of the input.</param>
/// <param name="metrics">Counts.</param>
internal sealed class InputGaps(int partitionCount, WorkerMetrics metrics)
{
    private readonly long[] countedTo = new long[partitionCount];
    private readonly Lock gate = new();

    /// <summary>Counts what is gone of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="expected">First offset that was due.</param>
    /// <param name="found">First one that there is.</param>
    /// <returns>The first offset that was not counted before; null where all was.</returns>
    public long? Count(int partition, long expected, long found)
    {
        lock (gate)
        {
            long from = Math.Max(expected, countedTo[partition]);
            if (found <= from)
            {
                return null;
            }

            countedTo[partition] = found;
            metrics.InputGap.Inc(found - from);
            return from;
        }
    }
}
