using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Lanes;

/// <summary>One thread that owns partitions end to end: reads, computes, scores, decides, publishes, commits.</summary>
/// <remarks>
/// A cycle: 1. serve acknowledgements, 2. take labels, 3. release rows that waited, 4. read what is queued, never waiting when
/// something is there, 5. score the batch and publish it, 6. tell the others, 7. commit what is acknowledged.
/// Rows of a partition are taken in offset order, each after the labels that were reported before it. A row whose shared
/// features need other partitions' panes is staged until they have come that far (history) or taken at once and marked (live).
/// </remarks>
internal sealed class Lane : IDisposable
{
    private const int IdleWaitMs = 10;

    /// <summary>Offsets that control records of Kafka transactions may take between two events; a wider gap is looked at.</summary>
    private const int MarkersMax = 100;

    private static readonly TimeSpan HousekeepingInterval = TimeSpan.FromSeconds(1);

    private readonly int number;
    private readonly LaneContext context;
    private readonly TimeProvider clock;
    private readonly TransactionBatch batch;
    private readonly bool[] isStale;
    private readonly PartitionInput?[] inputs;
    private readonly PartitionState?[] states;
    private readonly List<PartitionInput> owned = [];
    private readonly Stack<TransactionBatch> pool = new();
    private readonly List<(int Partition, long Offset)> earlyEnds = [];
    private readonly ScoringPipeline pipeline;
    private readonly LaneOutput output;
    private readonly OutputRecords records;
    private readonly TransactionInput input;
    private readonly LabelInput? labelInput;
    private readonly LabelEnds labelEnds;
    private readonly LaneShares shares;
    private readonly CommitLog commits;
    private readonly StateMetrics stateMetrics;
    private readonly Func<IEnumerable<TopicPartitionOffset>> positions;
    private readonly Prometheus.Gauge.Child inFlight;
    private PendingRow? pending;
    private long nowMs;
    private long housekeptAt;
    private bool isWaitingForLabels;

    /// <summary>Builds the clients and joins the group.</summary>
    public Lane(int number, LaneContext context)
    {
        this.number = number;
        this.context = context;
        clock = context.Clock;
        int rowsMax = context.Lanes.RowsMax;
        batch = new TransactionBatch(context.Schema, rowsMax);
        isStale = new bool[rowsMax];
        inputs = new PartitionInput?[context.PartitionCount];
        states = new PartitionState?[context.PartitionCount];
        pipeline = new ScoringPipeline(context.Service, context.Ledger.Shared, isAlone: false, rowsMax, context.Lanes.EmitFeatures, context.Settings.Serving.NetworkTimeoutMs, clock, context.Metrics, context.Logger);
        output = new LaneOutput(context.Clients.Producer(), context.Lanes.InFlightMax);
        records = new OutputRecords(output, context);
        shares = new LaneShares(context, output);
        labelEnds = new LabelEnds(context.Admin, context.Topics.Labels);
        input = new TransactionInput(context.Clients, context.Topics.Transactions, number, new EventDecoder(context.Definition), batch, context.KeepsState, context.StartsLatest, Leaving, BeforeRevoke, context.Metrics, context.Logger);
        labelInput = context.ReadsLabels
            ? new LabelInput(context.Clients, context.Topics.Labels, new LabelDecoder(context.Definition, context.Schema), inputs, Refuse, context.Metrics, context.Logger)
            : null;
        commits = new CommitLog(output, input.Commit, clock, TimeSpan.FromMilliseconds(context.Lanes.CommitIntervalMs), number, context.Metrics, context.Logger);
        stateMetrics = new StateMetrics(context.Metrics, context.PartitionCount);
        positions = Positions;
        inFlight = context.Metrics.InFlight.WithLabels(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Works until <paramref name="stopping"/>, then finishes the batch, waits for the acknowledgements, commits and leaves.</summary>
    /// <exception cref="LaneFailure">The lane cannot go on.</exception>
    public void Run(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            Cycle();
        }

        if (!commits.Finish(positions, TimeSpan.FromSeconds(5)))
        {
            throw new LaneFailure(ExitCode.Unavailable, "the broker did not acknowledge the last outputs within 5 s; they are repeated at the next start");
        }

        input.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        input.Dispose();
        labelInput?.Dispose();
        output.Dispose();
        foreach (var state in states)
        {
            state?.Dispose();
        }

        pipeline.Dispose();
    }

    private void Cycle()
    {
        long now = clock.GetTimestamp();
        nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        output.Poll(TimeSpan.Zero);
        FollowRebalances();
        labelInput?.Fill(nowMs, isWaitingForLabels ? 1 : 0);
        shares.BeginCycle();
        isWaitingForLabels = false;
        Release();
        Receive(batch.RowCount > 0 || HasStaged() || pending is not null ? 0 : output.InFlight > 0 ? 1 : IdleWaitMs);
        int rowCount = batch.RowCount;
        if (rowCount > 0)
        {
            Answer(now);
        }

        shares.EndCycle(owned, now, progressed: rowCount > 0);
        if (isWaitingForLabels)
        {
            labelEnds.AskFor(owned, now, clock);
        }

        commits.Step(now, positions);
        if (clock.GetElapsedTime(housekeptAt, now) >= HousekeepingInterval)
        {
            housekeptAt = now;
            KeepHouse();
        }

        context.Health.Beat(number, now, input.HasAssignment, owned.Count(partition => partition.IsRebuilding));
    }

    /// <summary>Takes staged rows while they may go, always the one with the lowest event time among the partitions.</summary>
    private void Release()
    {
        labelEnds.Take(inputs);
        while (!batch.IsFull)
        {
            PartitionInput? earliest = null;
            foreach (var candidate in owned)
            {
                if (candidate.Staged.Count > 0 && !candidate.IsHeld && (earliest is null || candidate.Staged.HeadTimeMs < earliest.Staged.HeadTimeMs))
                {
                    earliest = candidate;
                }
            }

            if (earliest is null)
            {
                break;
            }

            var staged = earliest.Staged;
            if (MayGo(earliest, staged.HeadBatch, staged.HeadRow, staged.HeadOffset, out bool stale))
            {
                batch.CopyRow(staged.HeadBatch, staged.HeadRow);
                Accept(earliest, staged.HeadOffset, staged.HeadBatch.AppendTimesMs[staged.HeadRow], stale);
                staged.RemoveHead();
            }
            else
            {
                earliest.IsHeld = true;
            }
        }

        foreach (var partition in owned)
        {
            partition.IsHeld = false;
            if (partition.IsRebuilding && partition.IsAtEnd && partition.Staged.Count == 0)
            {
                FinishRebuild(partition, partition.ReceivedOffset);
            }

            if (partition.IsPaused && partition.Staged.Count <= context.Lanes.StagedRowsMax / 4)
            {
                input.Resume(partition);
            }

            if (partition.Labels is { } labels)
            {
                labelInput!.ResumeIfDrained(labels, partition.Partition);
            }
        }
    }

    /// <summary>Reads what is queued into the batch.</summary>
    private void Receive(int waitMs)
    {
        if (pending is { } first && !batch.IsFull)
        {
            pending = null;
            first.CopyTo(batch);
            Take(first.Partition, first.Refusal, first.Offset, first.Timestamp, first.Headers);
        }

        for (int budget = context.Lanes.RowsMax; budget > 0 && !batch.IsFull && output.HasRoom; budget--)
        {
            var result = input.Read(waitMs, nowMs);
            waitMs = 0;
            if (input.HandlerFailure is { } failure)
            {
                throw new LaneFailure(ExitCode.Internal, $"giving up partitions failed: {failure.Message}", failure);
            }

            if (result is null)
            {
                break;
            }

            if (result.IsPartitionEOF)
            {
                ReachedEnd(result.Partition.Value, result.Offset.Value);
            }
            else if (input.Rebalances.Count > 0)
            {
                pending = PendingRow.Of(batch, result); // The batch is finished with the old assignment first.
            }
            else
            {
                Take(result.Partition.Value, result.Message.Value, result.Offset.Value, result.Message.Timestamp, result.Message.Headers);
            }

            if (input.Rebalances.Count > 0)
            {
                break;
            }
        }
    }

    /// <summary>Takes the record whose row was begun last in the batch: into the batch, to the rows that wait, or to the dead letters.</summary>
    private void Take(int number, Refusal refusal, long offset, Timestamp timestamp, Headers? headers)
    {
        if (inputs[number] is not { } partition)
        {
            return; // Given up meanwhile: its new owner reads it.
        }

        if (offset > partition.ReceivedOffset + MarkersMax)
        {
            NoteGap(partition, offset);
        }

        partition.ReceivedOffset = offset + 1;
        partition.IsAtEnd = false;
        records.Consumed();
        if (!refusal.IsNone)
        {
            if (offset >= partition.ResumeOffset)
            {
                Refuse(new RefusedRecord(refusal, context.Topics.Transactions, number, offset, timestamp, input.Key, input.RefusedValue, headers));
            }

            return;
        }

        int row = batch.RowCount;
        if (partition.Staged.Count == 0 && MayGo(partition, batch, row, offset, out bool stale))
        {
            Accept(partition, offset, timestamp.UnixTimestampMs, stale);
            return;
        }

        partition.Staged.Add(batch, row, number, offset, timestamp.UnixTimestampMs);
        if (partition.Staged.Count >= context.Lanes.StagedRowsMax && !partition.IsPaused)
        {
            input.Pause(partition);
        }
    }

    private void Accept(PartitionInput partition, long offset, long appendTimeMs, bool stale)
    {
        isStale[batch.RowCount] = stale;
        batch.Accept(partition.Partition, offset, appendTimeMs);
        partition.Share.HasUndrained = true;
        if (partition.BatchOffset < 0)
        {
            partition.BatchOffset = offset;
        }
    }

    /// <summary>Whether the next row of a partition may be computed now. Applies the labels that come before it.</summary>
    private bool MayGo(PartitionInput partition, TransactionBatch rows, int row, long offset, out bool stale)
    {
        stale = false;
        long timeMs = rows.Times(context.Schema.EventTime)[row];
        bool answers = offset >= partition.ResumeOffset;
        bool isHistory = !answers || timeMs < nowMs - (context.Aggregates.LiveSeconds * 1_000L);
        if (partition.Labels is { } labels && !LabelsAreApplied(partition, labels, timeMs, offset, isHistory))
        {
            isWaitingForLabels = true;
            return false;
        }

        if (!answers)
        {
            return true; // Nobody sees the features of a row that only rebuilds state.
        }

        if (partition.IsRebuilding && !FinishRebuild(partition, offset))
        {
            return false;
        }

        return shares.MayGo(partition, pipeline.SettledHorizonMs(rows, row), timeMs, isHistory, out stale);
    }

    /// <summary>Applies every label that was reported at or before the row's time, and says whether all such labels are known.</summary>
    /// <remarks>So a replay meets the labels where live traffic met them, however the two topics were read.</remarks>
    private bool LabelsAreApplied(PartitionInput partition, PartitionLabels labels, long timeMs, long offset, bool isHistory)
    {
        while (labels.Count > 0 && labels.HeadReportedAtMs <= timeMs)
        {
            pipeline.Compute(batch, states);
            records.Labelled(pipeline.ApplyLabel(labels.HeadBatch, labels.HeadRow, partition.State));
            labels.RemoveHead();
            partition.Share.HasUndrained = true;
        }

        return labels.Count > 0 || (isHistory ? labels.IsAtEnd && offset < labels.ConfirmedToOffset : labels.HasReachedEnd);
    }

    private bool FinishRebuild(PartitionInput partition, long offset)
    {
        pipeline.Compute(batch, states);
        if (!shares.KnowsFormerOwner(partition))
        {
            return false;
        }

        partition.IsRebuilding = false;
        stateMetrics.Begin(partition);
        context.Metrics.RestoreRemaining.WithLabels(partition.Name).Set(0);
        LogMessages.Running(context.Logger, number, partition.Partition, offset);
        return true;
    }

    /// <summary>Scores the batch and publishes what its rows ask for.</summary>
    private void Answer(long started)
    {
        pipeline.Compute(batch, states);
        if (HoldsAnswers())
        {
            pipeline.Score(batch);
            records.Begin(nowMs, started);
            for (int row = 0; row < batch.RowCount; row++)
            {
                if (IsDue(row))
                {
                    records.Write(batch, row, pipeline, isStale[row]);
                }
            }

            records.End(batch);
        }

        foreach (var partition in owned)
        {
            partition.BatchOffset = -1;
        }

        batch.Clear();
        pipeline.Clear();
    }

    /// <summary>Whether a row is to be answered: those before the resume offset were, before the restart.</summary>
    private bool IsDue(int row) => batch.Offsets[row] >= inputs[batch.Partitions[row]]!.ResumeOffset;

    private bool HoldsAnswers()
    {
        for (int row = 0; row < batch.RowCount; row++)
        {
            if (IsDue(row))
            {
                return true;
            }
        }

        return false;
    }

    private void Refuse(RefusedRecord record) => records.DeadLetter(record);

    private void ReachedEnd(int number, long offset)
    {
        if (inputs[number] is { } partition)
        {
            partition.ReceivedOffset = Math.Max(partition.ReceivedOffset, offset);
            partition.IsAtEnd = true;
            partition.AtEndSince = clock.GetTimestamp();
        }
        else
        {
            earlyEnds.Add((number, offset)); // The call that brought the assignment may bring the end of an empty partition too.
        }
    }

    private void NoteGap(PartitionInput partition, long offset)
    {
        // A gap also stands where control records of Kafka transactions are; it is a loss only when the log starts behind it.
        var retained = input.Retained(partition.Source);
        if (retained.Low.Value > partition.ReceivedOffset)
        {
            context.Metrics.InputGap.Inc(retained.Low.Value - partition.ReceivedOffset);
            LogMessages.InputGap(context.Logger, partition.Partition, partition.ReceivedOffset, retained.Low.Value);
        }
    }

    private bool HasStaged()
    {
        foreach (var partition in owned)
        {
            if (partition.Staged.Count > 0)
            {
                return true;
            }
        }

        return false;
    }

    private IEnumerable<TopicPartitionOffset> Positions()
    {
        foreach (var partition in owned)
        {
            if (partition.Position >= partition.ResumeOffset)
            {
                yield return new TopicPartitionOffset(partition.Source, partition.Position);
            }

            if (partition.Labels is { } labels && labels.Position > labels.ResumeOffset)
            {
                yield return new TopicPartitionOffset(context.Topics.Labels, partition.Partition, labels.Position);
            }
        }
    }

    private void Leaving(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var gone in partitions)
        {
            if (inputs[gone.Partition.Value] is { } partition)
            {
                partition.Share.IsLeaving = true;
            }
        }
    }

    /// <summary>The group takes partitions away: what is published is acknowledged and committed while they are still ours.</summary>
    private void BeforeRevoke()
    {
        if (!commits.Finish(positions, TimeSpan.FromSeconds(3)))
        {
            context.Metrics.CommitFailures.Inc();
        }

        shares.NoteEnds(owned);
    }

    private void FollowRebalances()
    {
        if (input.Rebalances.Count == 0)
        {
            return;
        }

        while (input.Rebalances.TryDequeue(out var rebalance))
        {
            context.Metrics.Rebalances.Inc();
            if (rebalance.Kind == RebalanceKind.Assigned)
            {
                if (rebalance.Partitions.Count > 0)
                {
                    foreach (var partition in new AssignedPartitions(context, input, number).Begin(rebalance.Partitions, pool))
                    {
                        inputs[partition.Partition] = partition;
                        states[partition.Partition] = partition.State;
                        owned.Add(partition);
                        context.Ledger.Assign(partition.Partition);
                        labelInput?.Assign(partition.Partition);
                    }
                }
            }
            else
            {
                foreach (var gone in rebalance.Partitions)
                {
                    GiveUp(gone);
                }
            }
        }

        // Only where nothing is to be read: a partition that is read again from its beginning ends once more.
        foreach (var (number, offset) in earlyEnds)
        {
            if (inputs[number] is { } partition && offset <= partition.ReceivedOffset)
            {
                ReachedEnd(number, offset);
            }
        }

        earlyEnds.Clear();
    }

    private void GiveUp(TopicPartition gone)
    {
        if (inputs[gone.Partition.Value] is not { } partition)
        {
            return;
        }

        inputs[partition.Partition] = null;
        states[partition.Partition] = null;
        owned.Remove(partition);
        labelInput?.Unassign(partition.Partition);
        commits.Forget(partition.Source);
        commits.Forget(new TopicPartition(context.Topics.Labels, partition.Partition));
        shares.GiveUp(partition);
        partition.Staged.Clear();
        stateMetrics.End(partition);
        partition.State.Dispose();
        context.Metrics.Lag.RemoveLabelled(context.Topics.Transactions, partition.Name);
        context.Metrics.RestoreRemaining.RemoveLabelled(partition.Name);
        LogMessages.Revoked(context.Logger, number, partition.Partition);
    }

    private void KeepHouse()
    {
        inFlight.Set(output.InFlight);
        stateMetrics.TellUnknownMembers(input.UnknownMembers);
        foreach (var partition in owned)
        {
            stateMetrics.Tell(partition);
            var end = input.KnownEnd(partition.Source);
            if (end != Offset.Unset)
            {
                context.Metrics.Lag.WithLabels(context.Topics.Transactions, partition.Name).Set(Math.Max(0, end.Value - partition.Position));
            }

            if (partition.State.WatermarkMs != long.MinValue)
            {
                context.Metrics.LastEventTime.WithLabels(context.Topics.Transactions, partition.Name).Set(partition.State.WatermarkMs / 1_000.0);
            }

            context.Metrics.StateEntries.WithLabels(partition.Name).Set(Enumerable.Range(0, context.Service.Plan.EntityNames.Count).Sum(partition.State.KeyCount));
            if (partition.IsRebuilding)
            {
                context.Metrics.RestoreRemaining.WithLabels(partition.Name).Set(Math.Max(0, partition.ResumeOffset - partition.Position));
                LogMessages.Rebuilding(context.Logger, number, partition.Partition, partition.Position, partition.ResumeOffset);
            }
        }
    }
}
