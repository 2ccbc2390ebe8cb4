using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>Some consecutive rows of a history, by column. Reused from chunk to chunk by whoever made it.</summary>
internal sealed class HistoryChunk(EventSchema schema, int rowsMax)
{
    /// <summary>The transactions.</summary>
    public TransactionBatch Batch { get; } = new(schema, rowsMax);

    /// <summary>Outcome of each row: 1 fraud, 0 honest, -1 not known.</summary>
    public sbyte[] IsFraud { get; } = new sbyte[rowsMax];

    /// <summary>When the outcome became known, ms since 1970 UTC; <see cref="long.MinValue"/> with no outcome.</summary>
    public long[] ReportedAtMs { get; } = new long[rowsMax];
}
