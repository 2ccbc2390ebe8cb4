using System.IO.Hashing;
using Scoring.Models.Events;
using Scoring.Models.Features.Plan;
using Scoring.Models.Features.Sharing;
using Scoring.Models.Features.State;
using Scoring.Models.Features.Windows;

namespace Scoring.Models.Features;

/// <summary>Brings labels to the events they speak of.</summary>
/// <remarks>
/// A label finds its transaction among the partition's recent ones. If it is not there but the label names time and keys of a time that is
/// past, those are taken; else it waits for its transaction. The first label of a transaction applies, a repetition changes nothing, a
/// contradiction replaces.
/// </remarks>
internal sealed class LabelFeed
{
    private readonly FeaturePlan plan;
    private readonly SharedAggregates shared;
    private readonly LocalFeatures local;
    private readonly EntityKeys keys;
    private readonly int[] parts;

    public LabelFeed(FeaturePlan plan, SharedAggregates shared, LocalFeatures local, EntityKeys keys)
    {
        this.plan = plan;
        this.shared = shared;
        this.local = local;
        this.keys = keys;
        parts = [.. Enumerable.Range(0, plan.LabelledEntities.Length).Select(index => KnownTransaction.PartOf(plan, index))];
    }

    public LabelOutcome Apply(ReadOnlySpan<byte> transactionId, sbyte isFraud, TransactionBatch? facts, int factsRow, PartitionState state, bool directly)
    {
        if (isFraud < 0)
        {
            state.CountersToChange.LabelsUnknown++;
            return LabelOutcome.Unknown;
        }

        long label = isFraud == 1 ? KnownTransaction.Fraud : KnownTransaction.Honest;
        uint tag = RecordTable.Tag(transactionId);
        int index = state.Transactions.Find(transactionId, tag);
        if (index < 0 && transactionId.Length is > 0 and <= KnownTransaction.IdBytesMax && facts is not null)
        {
            long time = facts.Times(facts.Schema.EventTime)[factsRow];
            if (time != FieldSource.Missing && time <= state.WatermarkMs)
            {
                index = Add(transactionId, tag, time, state);
                Describe(facts, factsRow, default, state.Transactions.Write(index), state);
            }
        }

        return index >= 0 ? ApplyKnown(transactionId, index, label, state, directly) : Wait(transactionId, tag, label, state);
    }

    /// <summary>Remembers a transaction that was processed, and gives it the label that came before it.</summary>
    public void Remember(TransactionBatch batch, int row, ReadOnlySpan<long> flagsByEntity, PartitionState state, bool directly)
    {
        var id = batch.TransactionIds[row];
        if (id.Length > KnownTransaction.IdBytesMax)
        {
            return;
        }

        uint tag = RecordTable.Tag(id);
        int index = state.Transactions.Find(id, tag);
        bool isNew = index < 0;
        if (isNew)
        {
            index = Add(id, tag, batch.EventTimesMs[row], state);
        }
        else if ((state.Transactions.Read(index)[KnownTransaction.Label] & KnownTransaction.Seen) != 0)
        {
            return;   // a repetition: the label belongs to the first
        }

        var known = state.Transactions.Write(index);
        known[KnownTransaction.Time] = batch.EventTimesMs[row];
        known[KnownTransaction.Label] |= KnownTransaction.Seen;
        Describe(batch, row, flagsByEntity, known, state);
        if (!isNew && (known[KnownTransaction.Label] & KnownTransaction.Fraud) != 0)
        {
            // Its label came first and named the keys: what is shared has been told, the rings have not.
            MarkRings(id, known, isFraud: true, state);
        }
        else if (state.Waiting.Count > 0 && state.Waiting.Find(id, tag) is >= 0 and var waiting)
        {
            long label = state.Waiting.Read(waiting)[0];
            state.Waiting.Remove(waiting);
            ApplyKnown(id, index, label, state, directly);
        }
    }

    private static int Add(ReadOnlySpan<byte> id, uint tag, long time, PartitionState state)
    {
        var table = state.Transactions;
        if (table.Count >= table.RecordsMax)
        {
            table.Remove(table.Oldest);
        }

        int index = table.Add(id, tag);
        table.Write(index)[KnownTransaction.Time] = time;
        return index;
    }

    private void Describe(TransactionBatch batch, int row, ReadOnlySpan<long> flagsByEntity, Span<long> known, PartitionState state)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            var entity = plan.LabelledEntities[i];
            long flags = !flagsByEntity.IsEmpty ? flagsByEntity[entity.Ordinal]
                : entity.IsShared ? local.Flags(entity, default, batch, row, 0)
                : 0;
            KnownTransaction.SetPart(known, parts[i], flags, keys.Of(entity, batch, row, state));
        }
    }

    private LabelOutcome ApplyKnown(ReadOnlySpan<byte> id, int index, long label, PartitionState state, bool directly)
    {
        ref var counters = ref state.CountersToChange;
        long before = state.Transactions.Read(index)[KnownTransaction.Label] & ~KnownTransaction.Seen;
        if (before == label)
        {
            counters.LabelsRepeated++;
            return LabelOutcome.Repeated;
        }

        var known = state.Transactions.Write(index);
        long trusted = known[KnownTransaction.Time] + plan.LabelDelayMs;
        bool isLate = state.WatermarkMs >= trusted;
        known[KnownTransaction.Label] = (known[KnownTransaction.Label] & KnownTransaction.Seen) | label;
        known[KnownTransaction.LabelTime] = Math.Max(trusted, state.WatermarkMs);
        if (label == KnownTransaction.Fraud || before == KnownTransaction.Fraud)
        {
            bool isFraud = label == KnownTransaction.Fraud;
            MarkRings(id, known, isFraud, state);
            Contribute(known, isFraud ? 1 : -1, state, directly);
        }

        counters.LabelsApplied++;
        counters.LabelsLate += isLate ? 1 : 0;
        counters.LabelsReplaced += before != KnownTransaction.None ? 1 : 0;
        return before != KnownTransaction.None ? LabelOutcome.Replaced
            : isLate ? LabelOutcome.AppliedLate
            : LabelOutcome.Applied;
    }

    private static LabelOutcome Wait(ReadOnlySpan<byte> id, uint tag, long label, PartitionState state)
    {
        ref var counters = ref state.CountersToChange;
        var table = state.Waiting;
        if (id.Length is 0 or > KnownTransaction.IdBytesMax)
        {
            counters.LabelsGivenUp++;   // no transaction has such an identifier
            return LabelOutcome.Unknown;
        }

        int index = table.Find(id, tag);
        if (index >= 0)
        {
            bool same = table.Read(index)[0] == label;
            table.Write(index)[0] = label;
            counters.LabelsRepeated += same ? 1 : 0;
            counters.LabelsReplaced += same ? 0 : 1;
            return same ? LabelOutcome.Repeated : LabelOutcome.Replaced;
        }

        if (table.Count >= table.RecordsMax)
        {
            table.Remove(table.Oldest);
            counters.LabelsGivenUp++;
        }

        table.Write(table.Add(id, tag))[0] = label;
        counters.LabelsWaited++;
        return LabelOutcome.Waiting;
    }

    private void MarkRings(ReadOnlySpan<byte> id, ReadOnlySpan<long> known, bool isFraud, PartitionState state)
    {
        long hash = (long)XxHash3.HashToUInt64(id, plan.IdentitySeed);
        for (int i = 0; i < parts.Length; i++)
        {
            var entity = plan.LabelledEntities[i];
            var key = KnownTransaction.Key(known, parts[i]);
            if (entity.IsShared || key.IsEmpty)
            {
                continue;
            }

            var table = state.Table(entity.Ordinal);
            int index = table.Find(key, RecordTable.Tag(key));
            if (index < 0 || !Mark(entity, table, index, known, hash, isFraud))
            {
                state.CountersToChange.LabelsOutOfReach++;
            }
        }
    }

    private static bool Mark(EntityPlan entity, RecordTable table, int index, ReadOnlySpan<long> known, long hash, bool isFraud)
    {
        var record = table.Write(index);
        long time = known[KnownTransaction.Time];
        for (int at = EventRing.FirstAfter(entity, record, time) - 1; at - EventRing.First(record) >= 0 && EventRing.Time(entity, record, at) == time; at--)
        {
            var words = EventRing.Event(entity, record, at);
            if (words[entity.LabelWord] != hash)
            {
                continue;
            }

            bool was = (words[entity.FlagsWord] & EntityPlan.FraudFlag) != 0;
            words[entity.FlagsWord] = isFraud ? words[entity.FlagsWord] | EntityPlan.FraudFlag : words[entity.FlagsWord] & ~EntityPlan.FraudFlag;
            words[entity.LabelWord + 1] = known[KnownTransaction.LabelTime];
            EventRing.AddFrauds(record, (isFraud ? 1 : 0) - (was ? 1 : 0));
            return true;
        }

        return false;
    }

    private void Contribute(ReadOnlySpan<long> known, int sign, PartitionState state, bool directly)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            var entity = plan.LabelledEntities[i];
            var key = KnownTransaction.Key(known, parts[i]);
            if (!entity.IsShared || key.IsEmpty)
            {
                continue;
            }

            var plans = entity.Shared!;
            long pane = SharedClock.LabelPane(entity, known[KnownTransaction.Time], state.WatermarkMs);
            var counters = state.Contribution(entity, key, pane, announce: !directly);
            for (int filter = 0; filter < plans.LabelFilters.Length; filter++)
            {
                long bits = plans.LabelFilters[filter];
                counters[plans.EventWords + filter] += (known[parts[i]] & bits) == bits ? sign : 0;
            }

            if (directly)
            {
                shared.Set(entity, 0, key, pane, counters);
            }
        }
    }
}
