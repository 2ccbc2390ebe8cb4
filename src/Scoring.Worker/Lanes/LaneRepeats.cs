using System.IO.Hashing;
using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Lanes;

/// <summary>Answers transactions that came before: with their answer, or, where their fields are others, with a dead letter.</summary>
/// <remarks>
/// Whether a row came before is decided where its features are computed, in the order of the partition. A dead letter needs the bytes as they came, which
/// are gone by then; so those of each row that might be one are kept: whose identifier is remembered, or may be among the rows on their way there.
/// </remarks>
internal sealed class LaneRepeats
{
    private const int FilterBits = 1 << 17;

    private readonly LaneContext context;
    private readonly TransactionInput input;
    private readonly ScoringPipeline pipeline;
    private readonly OutputRecords records;
    private readonly Refusal conflict;
    private readonly long onTheirWayMax;
    private ulong[] onTheirWay = new ulong[FilterBits / 64];
    private ulong[] before = new ulong[FilterBits / 64];
    private long taken;

    /// <summary>Starts with nothing on its way.</summary>
    public LaneRepeats(LaneContext context, TransactionInput input, ScoringPipeline pipeline, OutputRecords records)
    {
        this.context = context;
        this.input = input;
        this.pipeline = pipeline;
        this.records = records;
        conflict = Conflict(context.Definition);
        onTheirWayMax = ((long)context.PartitionCount * context.Lanes.StagedRowsMax) + context.Lanes.RowsMax + 1;
    }

    /// <summary>The refusal of a transaction whose identifier is another's, naming the field as the customer does.</summary>
    public static Refusal Conflict(Models.Definitions.ServiceDefinition definition) =>
        new(RefusalCode.DuplicateConflict, definition.Events.Fields?.GetValueOrDefault(TransactionFields.TransactionId)?.Path ?? TransactionFields.TransactionId, 0);

    /// <summary>All rows that were read are computed, or read again.</summary>
    public void NothingIsOnItsWay()
    {
        if (taken > 0)
        {
            Swap();
        }
    }

    /// <summary>A row was read: keeps its bytes where they may be asked for.</summary>
    public void Take(PartitionInput partition, TransactionBatch batch, int row, long offset, Timestamp timestamp, Headers? headers)
    {
        var id = batch.TransactionIds[row];
        uint bit = (uint)XxHash3.HashToUInt64(id) % FilterBits;
        ref ulong word = ref onTheirWay[bit / 64];
        ulong mask = 1UL << (int)(bit % 64);
        bool mayComeAgain = ((word | before[bit / 64]) & mask) != 0 || partition.State.Remembers(id);
        if (mayComeAgain && offset >= partition.ResumeOffset)
        {
            partition.Suspects.Add(new RefusedRecord(conflict, context.Topics.Transactions, partition.Partition, offset, timestamp, input.Key, input.Value, headers));
        }

        word |= mask;
        if (++taken > onTheirWayMax)
        {
            Swap(); // Those of two rounds ago have been computed: no more can be on their way than come in one.
        }
    }

    /// <summary>Publishes the answer to a row.</summary>
    public void Publish(PartitionInput partition, TransactionBatch batch, int row, long behindMs)
    {
        var kept = Suspect(partition, batch.Offsets[row]);
        switch (pipeline.RepetitionOf(row))
        {
            case Repetition.None:
                records.Write(batch, row, pipeline, behindMs);
                pipeline.RememberWritten(batch, row, partition.State);
                break;
            case Repetition.Repeat:
                records.Repeat(batch, row, pipeline, partition.State);
                break;
            default:
                records.DeadLetter(kept ?? throw new InvalidOperationException("the bytes of a transaction with another's identifier were not kept"));
                break;
        }
    }

    /// <summary>Remembers the answer to a row that was answered before this worker had its partition, where nobody has remembered it.</summary>
    public void Rebuild(PartitionInput partition, TransactionBatch batch, int row, long behindMs, long nowMs)
    {
        Suspect(partition, batch.Offsets[row]);
        pipeline.RememberUnwritten(batch, row, partition.State, behindMs, nowMs);
    }

    private void Swap()
    {
        (onTheirWay, before) = (before, onTheirWay);
        Array.Clear(onTheirWay);
        taken = 0;
    }

    private static RefusedRecord? Suspect(PartitionInput partition, long offset)
    {
        RefusedRecord? kept = null;
        while (partition.Suspects.Count > 0 && partition.Suspects.HeadOffset <= offset)
        {
            kept = partition.Suspects.Remove();
        }

        return kept?.Offset == offset ? kept : null;
    }
}
