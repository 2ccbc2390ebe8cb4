using System.IO.Hashing;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;
using Scoring.Models.Features.Plan;
using Scoring.Models.Features.State;
using Scoring.Models.Features.Windows;

namespace Scoring.Models.Features;

/// <summary>Takes events into the records of local entities and computes their features.</summary>
/// <remarks>
/// <para>Windows are (t - delay - window, t - delay], the current event included. Events of one time are taken in the order of their offsets.</para>
/// <para>A late event is put in its place in time; its features see the events up to its own time that came before it, and later events see it.
/// One that no window could hold, or that is older than everything a full ring keeps, is scored over what is there and not kept.</para>
/// <para>A full ring gives up its oldest event; features then are over what is kept.</para>
/// </remarks>
internal sealed class LocalFeatures
{
    private readonly FeaturePlan plan;
    private readonly RingScan scan;
    private readonly long[] eventWords;
    private readonly long[] copy;
    private readonly double[] statistics = new double[3];

    public LocalFeatures(FeaturePlan plan)
    {
        this.plan = plan;
        scan = new RingScan(plan.Entities.Select(entity => entity.EventsMax).DefaultIfEmpty().Max());
        eventWords = new long[plan.Entities.Select(entity => entity.EventWords).DefaultIfEmpty().Max()];
        copy = new long[plan.Entities.Select(entity => entity.IsShared ? 0 : entity.PayloadWords).DefaultIfEmpty().Max()];
    }

    /// <summary>Takes one event in and computes the entity's features.</summary>
    /// <returns>The event's flags.</returns>
    public long Process(EntityPlan entity, ReadOnlySpan<byte> key, TransactionBatch batch, int row, PartitionState state, FeatureBlock output, int outputRow)
    {
        long time = batch.EventTimesMs[row];
        long addedBefore = state.Counters.KeysAdded;
        int index = state.Record(entity, key);
        bool isNew = state.Counters.KeysAdded != addedBefore;
        var record = Write(state.Table(entity.Ordinal), entity, index, time);
        if (isNew)
        {
            record[EntityPlan.LastTime] = time;
            record[EntityPlan.FirstSeen] = time;
        }

        record[EntityPlan.AppliedOffset] = batch.Offsets[row];
        record[EntityPlan.FirstSeen] = Math.Min(record[EntityPlan.FirstSeen], time);
        var current = Fill(entity, record, batch, row, time);
        foreach (var window in entity.PaneWindows)
        {
            PaneWindow.Add(entity, window, record, current);
        }

        long last = record[EntityPlan.LastTime];
        if (time >= last)
        {
            record[EntityPlan.LastTime] = time;
            if (entity.EventsMax > 0 && EventRing.Append(entity, record, current, state.RunLengths(entity.Ordinal)))
            {
                state.CountersToChange.EventsDropped++;
            }

            Compute(entity, record, current, EventRing.End(record) - 1, state, output, outputRow);
        }
        else
        {
            ProcessLate(entity, record, current, last, state, output, outputRow);
        }

        return entity.FlagsWord < 0 ? 0 : current[entity.FlagsWord];
    }

    /// <summary>Bits of the filters that an event passes.</summary>
    public long Flags(EntityPlan entity, Span<long> record, TransactionBatch batch, int row, long time)
    {
        long flags = 0;
        foreach (var filter in entity.Filters)
        {
            if (filter.NeedsStatistics)
            {
                Measure(entity, record, filter, time);
            }

            flags |= filter.Predicate.Evaluate(new PredicateInput(batch, row, null, double.NaN, statistics)) ? filter.Bit : 0;
        }

        return flags;
    }

    /// <summary>A record as an event of this time changes it: one that is not late goes to the end of the ring, before which nothing changes but the counters.</summary>
    private static Span<long> Write(RecordTable table, EntityPlan entity, int index, long time)
    {
        var before = table.Read(index);
        return entity.EventsMax == 0 || time < before[EntityPlan.LastTime]
            ? table.Write(index)
            : table.Write(index, entity.RingWord, EventRing.PlaceOf(entity, EventRing.End(before)), entity.EventWords);
    }

    private Span<long> Fill(EntityPlan entity, Span<long> record, TransactionBatch batch, int row, long time)
    {
        var words = eventWords.AsSpan(0, entity.EventWords);
        words[0] = time;
        if (entity.FlagsWord >= 0)
        {
            words[entity.FlagsWord] = Flags(entity, record, batch, row, time);
        }

        if (entity.LabelWord >= 0)
        {
            words[entity.LabelWord] = (long)XxHash3.HashToUInt64(batch.TransactionIds[row], plan.IdentitySeed);
            words[entity.LabelWord + 1] = FieldSource.Missing;
        }

        for (int i = 0; i < entity.Values.Length; i++)
        {
            words[entity.ValuesWord + i] = entity.Values[i].Fixed(batch, row);
        }

        for (int i = 0; i < entity.Identities.Length; i++)
        {
            words[entity.IdentitiesWord + i] = entity.Identities[i].Identity(batch, row, plan.IdentitySeed);
        }

        return words;
    }

    private void ProcessLate(EntityPlan entity, Span<long> record, Span<long> current, long last, PartitionState state, FeatureBlock output, int outputRow)
    {
        ref var counters = ref state.CountersToChange;
        counters.EventsLate++;
        bool tooOld = entity.RetentionMs <= last - current[0];
        if (entity.EventsMax == 0)
        {
            counters.EventsTooOld += tooOld ? 1 : 0;
            Compute(entity, record, current, 0, state, output, outputRow);
            return;
        }

        if (!tooOld)
        {
            int place = EventRing.Insert(entity, record, current, out bool stored, out bool dropped);
            counters.EventsDropped += dropped ? 1 : 0;
            if (stored)
            {
                EventRing.Rebuild(entity, record, current[0]);
                Compute(entity, record, current, place, state, output, outputRow);
                EventRing.Rebuild(entity, record, last);
                return;
            }
        }

        counters.EventsTooOld++;
        var scratch = copy.AsSpan(0, record.Length);
        record.CopyTo(scratch);
        if (EventRing.End(scratch) - EventRing.First(scratch) == entity.EventsMax)
        {
            EventRing.DropNewest(scratch);
        }

        int where = EventRing.Insert(entity, scratch, current, out _, out _);
        EventRing.Rebuild(entity, scratch, current[0]);
        Compute(entity, scratch, current, where, state, output, outputRow);
    }

    private void Compute(EntityPlan entity, Span<long> record, ReadOnlySpan<long> current, int place, PartitionState state, FeatureBlock output, int outputRow)
    {
        foreach (ref readonly var op in entity.Ops.AsSpan())
        {
            output.Set(outputRow, op.Feature, Compute(entity, record, current, place, op, state));
        }
    }

    private double Compute(EntityPlan entity, Span<long> record, ReadOnlySpan<long> current, int place, in FeatureOp op, PartitionState state)
    {
        long now = current[0];
        switch (op.Kind)
        {
            case AggregateKind.FirstSeen:
                return Math.Min(now - record[EntityPlan.FirstSeen], op.LengthMs) / 1000.0;
            case AggregateKind.TimeSinceLast or AggregateKind.RunLength or AggregateKind.DistanceFromLast or AggregateKind.SpeedFromLast:
                return RingScan.Back(entity, record, op, place);
            case AggregateKind.LabelCount or AggregateKind.LabelRunAge or AggregateKind.LabelGap or AggregateKind.LabelTimeSinceHonest or AggregateKind.LabelHazard:
                return LabelRuns.Compute(entity, record, op, now, state.RunLengths(entity.Ordinal));
            case AggregateKind.LabelRate:
                long events = Summarize(entity, record, op, now).Count;
                return events == 0 ? op.Empty : Math.Min(1, (double)LabelRuns.Frauds(entity, record, op, now) / events);
            case AggregateKind.Median or AggregateKind.Distinct or AggregateKind.RatioToMedian:
                return scan.Windowed(entity, record, op, current);
            case AggregateKind.Min or AggregateKind.Max when !op.InPanes:
                return scan.Windowed(entity, record, op, current);
            default:
                double scale = op.Value < 0 ? 1 : entity.Values[op.Value].Scale;
                long value = op.Value < 0 ? 0 : current[entity.ValuesWord + op.Value];
                return Summarize(entity, record, op, now).Finish(op, scale, value);
        }
    }

    private static Summary Summarize(EntityPlan entity, Span<long> record, in FeatureOp op, long now)
    {
        if (op.InPanes)
        {
            var panes = entity.PaneWindows[op.Window];
            return PaneWindow.Read(panes, record, panes.Accumulators[op.Accumulator], now);
        }

        var window = entity.Windows[op.Window];
        return op.Accumulator >= 0
            ? Summary.Read(record, window.Accumulators[op.Accumulator])
            : new Summary { Count = EventRing.Head(record, window) - EventRing.Tail(record, window) };
    }

    /// <summary>Median, mean and count of the window before the event is in it: what it is compared with.</summary>
    private void Measure(EntityPlan entity, Span<long> record, FilterPlan filter, long time)
    {
        long last = time - filter.DelayMs;
        int to = EventRing.FirstAfter(entity, record, last);
        int from = filter.LengthMs == long.MaxValue ? EventRing.First(record) : EventRing.FirstAfter(entity, record, last - filter.LengthMs);
        var values = scan.Values(entity, record, from, to, entity.ValuesWord + filter.Value, 0);
        double scale = entity.Values[filter.Value].Scale;
        long sum = 0;
        foreach (long value in values)
        {
            sum += value;
        }

        statistics[0] = values.IsEmpty ? double.NaN : RingScan.Median(values) / scale;
        statistics[1] = values.IsEmpty ? double.NaN : sum / (scale * values.Length); // One rounding: the mean of equal amounts is that amount.
        statistics[2] = to - from;
    }
}
