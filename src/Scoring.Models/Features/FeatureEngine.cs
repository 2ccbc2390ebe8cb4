using Scoring.Models.Events;
using Scoring.Models.Features.Plan;
using Scoring.Models.Features.Sharing;
using Scoring.Models.Features.State;
using Scoring.Models.Features.Windows;

namespace Scoring.Models.Features;

/// <summary>Takes events into the state and computes their features: the same code in worker, trainer and replay.</summary>
/// <remarks>One engine per thread. It has no clock: times are the events' own. Nothing is allocated per event.</remarks>
public sealed class FeatureEngine
{
    /// <summary>Rows whose state is fetched ahead together: enough to overlap the loads, few enough to find them in the cache still.</summary>
    private const int AheadRows = 16;

    private readonly FeaturePlan plan;
    private readonly SharedAggregates shared;
    private readonly LocalFeatures local;
    private readonly LabelFeed labelFeed;
    private readonly RepeatRecognition? repeats;
    private readonly EntityKeys keys;
    private readonly long[] sums;
    private readonly long[] flagsByEntity;
    private readonly EntityPlan[] localEntities;
    private readonly (RecordTable Table, uint Tag, int Index)[] ahead;

    /// <summary>Makes an engine for one thread.</summary>
    /// <param name="plan">What to compute.</param>
    /// <param name="shared">What other partitions contribute.</param>
    public FeatureEngine(FeaturePlan plan, SharedAggregates shared)
    {
        this.plan = plan;
        this.shared = shared;
        local = new LocalFeatures(plan);
        keys = new EntityKeys(plan);
        AppliesDirectly = shared.SourceCount == 1;
        labelFeed = new LabelFeed(plan, shared, local, keys);
        repeats = plan.Duplicates is { } duplicates ? new RepeatRecognition(duplicates, plan.Schema) : null;
        sums = new long[plan.Entities.Select(entity => entity.Shared is { } s ? s.Words * s.Windows.Length : 0).DefaultIfEmpty().Max()];
        flagsByEntity = new long[plan.Entities.Length];
        localEntities = [.. plan.Entities.Where(entity => !entity.IsShared)];
        ahead = new (RecordTable, uint, int)[AheadRows * localEntities.Length];
    }

    /// <summary>
    /// Whether contributions go straight into <see cref="SharedAggregates"/> as the only source (a trainer, a file) and not by
    /// <see cref="PartitionState.DrainContributions"/>. By default so when there is one source.
    /// </summary>
    public bool AppliesDirectly { get; init; }

    /// <summary>Takes rows in, in order, and computes their features. One that came before (<see cref="FeatureBlock.Repetitions"/>) counts in none and has none.</summary>
    /// <param name="batch">Events of the plan's schema.</param>
    /// <param name="firstRow">First row to take.</param>
    /// <param name="rowCount">Rows to take.</param>
    /// <param name="statesByPartition">State of each source partition, by <see cref="TransactionBatch.Partitions"/>.</param>
    /// <param name="output">Row r of the batch goes to row r of the block.</param>
    /// <exception cref="ArgumentException">A row's partition has no state here.</exception>
    public void Process(TransactionBatch batch, int firstRow, int rowCount, ReadOnlySpan<PartitionState?> statesByPartition, FeatureBlock output)
    {
        int end = firstRow + rowCount;
        for (int row = firstRow; row < end; row++)
        {
            if ((row - firstRow) % AheadRows == 0)
            {
                FetchAhead(batch, row, Math.Min(AheadRows, end - row), statesByPartition);
            }

            int partition = batch.Partitions[row];
            var state = (uint)partition < (uint)statesByPartition.Length ? statesByPartition[partition] : null;
            ProcessRow(batch, row, state ?? throw new ArgumentException($"there is no state of partition {partition}", nameof(statesByPartition)), output);
        }
    }

    /// <summary>How far every source must have come (<see cref="SharedAggregates.MinWatermarkMs"/>) before this row's features are what they will always be.</summary>
    /// <returns>ms since 1970 UTC; <see cref="long.MinValue"/> when no feature is shared.</returns>
    public long SettledHorizonMs(TransactionBatch batch, int row)
    {
        long horizon = long.MinValue;
        foreach (var entity in plan.Entities)
        {
            if (entity.IsShared)
            {
                horizon = Math.Max(horizon, SharedClock.Horizon(entity, batch.Times(plan.Schema.EventTime)[row]));
            }
        }

        return horizon;
    }

    /// <summary>Takes a label in. It counts from its transaction's time plus the labels' delay, or from now when that is past.</summary>
    /// <param name="labels">Decoded labels.</param>
    /// <param name="row">Which one.</param>
    /// <param name="state">State of the label's partition.</param>
    public LabelOutcome ApplyLabel(LabelBatch labels, int row, PartitionState state) =>
        ApplyLabel(labels.TransactionIds[row], labels.IsFraud[row], labels.Facts, row, state);

    /// <summary>Takes a label in that is not one of a batch: a history whose rows carry their outcome.</summary>
    /// <param name="transactionId">The transaction it speaks of, UTF-8.</param>
    /// <param name="isFraud">1, 0, or -1 for unknown.</param>
    /// <param name="facts">What the label itself says of its transaction: time and keys; missing fields are missing.</param>
    /// <param name="factsRow">Its row there.</param>
    /// <param name="state">State of the label's partition.</param>
    public LabelOutcome ApplyLabel(ReadOnlySpan<byte> transactionId, sbyte isFraud, TransactionBatch? facts, int factsRow, PartitionState state) =>
        labelFeed.Apply(transactionId, isFraud, facts, factsRow, state, AppliesDirectly);

    // Three steps over the next rows, each of which finds in the cache what the one before it has asked for.
    private void FetchAhead(TransactionBatch batch, int firstRow, int rowCount, ReadOnlySpan<PartitionState?> statesByPartition)
    {
        int count = 0;
        for (int row = firstRow; row < firstRow + rowCount; row++)
        {
            if ((uint)batch.Partitions[row] >= (uint)statesByPartition.Length || statesByPartition[batch.Partitions[row]] is not { } state)
            {
                return;
            }

            foreach (var entity in localEntities)
            {
                var key = keys.Of(entity, batch, row, out _);
                if (!key.IsEmpty)
                {
                    uint tag = RecordTable.Tag(key);
                    var table = state.Table(entity.Ordinal);
                    table.FetchSlot(tag);
                    ahead[count++] = (table, tag, -1);
                }
            }
        }

        foreach (ref var place in ahead.AsSpan(0, count))
        {
            place.Index = place.Table.FetchRecord(place.Tag);
        }

        foreach (ref var place in ahead.AsSpan(0, count))
        {
            place.Table.FetchNeighbours(place.Index);
        }
    }

    private void ProcessRow(TransactionBatch batch, int row, PartitionState state, FeatureBlock output)
    {
        long time = batch.EventTimesMs[row];
        state.AdvanceWatermark(time);
        state.CountersToChange.Events++;
        if (AppliesDirectly)
        {
            shared.SetWatermark(0, state.WatermarkMs);
        }

        if (repeats is not null)
        {
            output.Repetitions[row] = repeats.Take(batch, row, state, out output.FirstOffsets[row]);
            if (output.Repetitions[row] != Repetition.None)
            {
                for (int feature = 0; feature < plan.FeatureCount; feature++)
                {
                    output.Set(row, feature, double.NaN);
                }

                return;
            }
        }

        foreach (var entity in plan.Entities)
        {
            var key = keys.Of(entity, batch, row, state);
            if (key.IsEmpty)
            {
                SetMissing(entity, row, output);
            }
            else if (entity.IsShared)
            {
                ReadShared(entity, key, time, row, output);
                flagsByEntity[entity.Ordinal] = Contribute(entity, key, batch, row, state);
            }
            else
            {
                flagsByEntity[entity.Ordinal] = local.Process(entity, key, batch, row, state, output, row);
            }
        }

        foreach (ref readonly var op in plan.Stateless.AsSpan())
        {
            output.Set(row, op.Feature, StatelessFeatures.Compute(op, batch, row));
        }

        if (plan.HasLabels)
        {
            labelFeed.Remember(batch, row, flagsByEntity, state, AppliesDirectly);
        }
    }

    private static void SetMissing(EntityPlan entity, int row, FeatureBlock output)
    {
        foreach (ref readonly var op in entity.Ops.AsSpan())
        {
            output.Set(row, op.Feature, double.NaN);
        }
    }

    private void ReadShared(EntityPlan entity, ReadOnlySpan<byte> key, long time, int row, FeatureBlock output)
    {
        var counters = entity.Shared!;
        shared.Read(entity, key, time, sums);
        foreach (ref readonly var op in entity.Ops.AsSpan())
        {
            var window = sums.AsSpan(op.Window * counters.Words, counters.Words);
            long frauds = 0;
            if (op.Kind is AggregateKind.LabelCount or AggregateKind.LabelRate)
            {
                // Labels taken back after they counted stand in later panes: never below none.
                frauds = Math.Max(0, window[counters.EventWords + Array.IndexOf(counters.LabelFilters, op.Filter)]);
            }

            double value;
            if (op.Kind == AggregateKind.LabelCount)
            {
                value = frauds == 0 ? op.Empty : frauds;
            }
            else
            {
                var summary = Summary.Read(window, counters.Counters[op.Accumulator]);
                value = op.Kind != AggregateKind.LabelRate ? summary.Finish(op, op.Value < 0 ? 1 : entity.Values[op.Value].Scale, FieldSource.Missing)
                    : summary.Count <= 0 ? op.Empty
                    : Math.Min(1, (double)frauds / summary.Count);
            }

            output.Set(row, op.Feature, value);
        }
    }

    private long Contribute(EntityPlan entity, ReadOnlySpan<byte> key, TransactionBatch batch, int row, PartitionState state)
    {
        long flags = local.Flags(entity, default, batch, row, batch.EventTimesMs[row]);
        long pane = SharedClock.EventPane(entity, batch.EventTimesMs[row], state.WatermarkMs);
        var counters = state.Contribution(entity, key, pane, announce: !AppliesDirectly);
        foreach (var counter in entity.Shared!.Counters)
        {
            long value = counter.Value < 0 ? 0 : entity.Values[counter.Value].Fixed(batch, row);
            if (value != FieldSource.Missing && (flags & counter.Filter) == counter.Filter)
            {
                Summary.Add(counters, counter, value, 1);
            }
        }

        if (AppliesDirectly)
        {
            shared.Set(entity, 0, key, pane, counters);
        }

        return flags;
    }
}
