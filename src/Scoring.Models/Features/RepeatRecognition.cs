using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features.State;

namespace Scoring.Models.Features;

/// <summary>Finds out whether an event came before, and remembers it if not.</summary>
/// <remarks>
/// A function of the partition's events in their order, and of nothing else: worker, trainer and verifier come to the same. Time is the latest event time
/// among the events remembered: a repeat has its first one's time, so only others can tell how long that is ago.
/// </remarks>
internal sealed class RepeatRecognition(DuplicateDefinition definition, EventSchema schema)
{
    private readonly TransactionDigest digest = new(schema);
    private readonly long windowMs = (long)definition.Window.TotalMilliseconds;

    public Repetition Take(TransactionBatch batch, int row, PartitionState state, out long firstOffset)
    {
        firstOffset = -1;
        var table = state.Answered!;
        var id = batch.TransactionIds[row];
        long timeMs = batch.EventTimesMs[row];
        if (table.NextOlder(-1) is >= 0 and var newest)
        {
            timeMs = Math.Max(timeMs, table.Read(newest)[AnsweredTransaction.Time]);
        }

        uint tag = RecordTable.Tag(id);
        var (first, second) = digest.Of(batch, row);
        int index = table.Find(id, tag);
        if (index >= 0)
        {
            var known = table.Read(index);
            if (timeMs - known[AnsweredTransaction.Time] <= windowMs)
            {
                firstOffset = known[AnsweredTransaction.Offset];
                return known[AnsweredTransaction.Digest] == first && known[AnsweredTransaction.Digest + 1] == second ? Repetition.Repeat : Repetition.Conflict;
            }

            Forget(table, index, state);
        }

        MakeRoom(table, timeMs, state);
        var record = table.Write(table.Add(id, tag));
        record[AnsweredTransaction.Time] = timeMs;
        record[AnsweredTransaction.Offset] = batch.Offsets[row];
        record[AnsweredTransaction.Digest] = first;
        record[AnsweredTransaction.Digest + 1] = second;
        return Repetition.None;
    }

    private void MakeRoom(RecordTable table, long timeMs, PartitionState state)
    {
        // Two go for one that comes, so that a burst is worked off.
        for (int i = 0; i < 2 && table.Oldest >= 0 && timeMs - table.Read(table.Oldest)[AnsweredTransaction.Time] > windowMs; i++)
        {
            Forget(table, table.Oldest, state);
            state.CountersToChange.KeysExpired++;
        }

        if (table.Count >= table.RecordsMax)
        {
            Forget(table, table.Oldest, state);
            state.CountersToChange.KeysEvicted++;
        }
    }

    // Its answer goes when this batch is answered: a repeat before this row may be waiting for it, and it may not be there yet.
    private static void Forget(RecordTable table, int index, PartitionState state)
    {
        state.ForgetAnswer(table.Read(index)[AnsweredTransaction.Offset]);
        table.Remove(index);
    }
}
