using System.Runtime.ExceptionServices;
using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Checkpoints;
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

    private readonly int number;
    private readonly LaneContext context;
    private readonly TimeProvider clock;
    private readonly TransactionBatch batch;
    private readonly long[] behindMs;
    private readonly OwnedPartitions partitions;
    private readonly ScoringPipeline pipeline;
    private readonly LaneOutput output;
    private readonly OutputRecords records;
    private readonly LaneRepeats? repeats;
    private readonly TransactionInput input;
    private readonly LabelInput? labelInput;
    private readonly LabelEnds labelEnds;
    private readonly LaneShares shares;
    private readonly LaneCheckpoints? checkpoints;
    private readonly LaneCommits commits;
    private readonly GroupDecisions decisions;
    private readonly StateRestorer? restorer;
    private readonly RowAdmission admission;
    private readonly LaneGauges gauges;
    private readonly OutputRoom room;
    private readonly Drain drain;
    private readonly Func<IEnumerable<TopicPartitionOffset>> positions;
    private PendingRow? pending;
    private string? broken;
    private bool mustBeAlone;
    private long nowMs;

    /// <summary>Builds the clients and joins the group.</summary>
    public Lane(int number, LaneContext context)
    {
        this.number = number;
        this.context = context;
        clock = context.Clock;
        int rowsMax = context.Lanes.RowsMax;
        batch = new TransactionBatch(context.Schema, rowsMax);
        behindMs = new long[rowsMax];
        partitions = new OwnedPartitions(context);
        pipeline = new ScoringPipeline(context.Service, context.Ledger.Shared, isAlone: false, rowsMax, context.Lanes.EmitFeatures, context.Settings.Serving.NetworkTimeoutMs, clock, context.Metrics, context.Logger);
        var transactional = context.IsExactlyOnce ? new TransactionalOutput(() => context.Clients.TransactionalProducer(context.TransactionalId(number)), context.Lanes.InFlightMax, clock, context.Planted.Bug) : null;
        var acknowledged = context.IsExactlyOnce ? null : new AcknowledgedOutput(context.Clients, context.Lanes.InFlightMax, clock);
        output = (LaneOutput?)transactional ?? acknowledged!;
        records = new OutputRecords(output, context);
        shares = new LaneShares(context, output);
        labelEnds = new LabelEnds(context.Admin, context.Topics.Labels, context.Metrics, context.Logger);
        input = new TransactionInput(context.Clients, context.Topics.Transactions, number, new EventDecoder(context.Definition), batch, context.KeepsState, context.Service.Plan.FindsRepeats || context.Crashes is { HasRefused: true }, Assigning, BeforeRevoke, Lost, context.Metrics, context.Logger);
        repeats = context.Service.Plan.FindsRepeats ? new LaneRepeats(context, input, pipeline, records) : null;
        labelInput = context.ReadsLabels
            ? new LabelInput(context.Clients, context.Topics.Labels, new LabelDecoder(context.Definition, context.Schema), partitions.ByNumber, context.Metrics, context.Logger)
            : null;
        checkpoints = context.HasChangelog && context.Checkpoints is { } folder ? new LaneCheckpoints(context, folder, partitions) : null;
        commits = transactional is not null
            ? new TransactionCommits(transactional, input, new LaneRewind(context, partitions, input, labelInput, batch, pipeline, shares, records), context.HasChangelog ? new StateChangelog(context, output, partitions) : null, checkpoints, context, number)
            : new CommitLog(acknowledged!, input.Commit, clock, TimeSpan.FromMilliseconds(context.Lanes.CommitIntervalMs), number, context.Metrics, context.Logger);
        var assigned = new AssignedPartitions(context, partitions, input, labelInput, number);
        restorer = context.HasChangelog ? new StateRestorer(context, assigned, number) : null;
        var stateMetrics = new StateMetrics(context.Metrics, context.PartitionCount);
        decisions = new GroupDecisions(context, number, partitions, assigned, restorer, input, labelInput, commits, shares, stateMetrics);
        admission = new RowAdmission(context, number, partitions, batch, pipeline, shares, records, stateMetrics);
        gauges = new LaneGauges(context, number, partitions, input, output, shares, stateMetrics);
        room = new OutputRoom(output, partitions, input, clock);
        positions = partitions.Positions;
        drain = new Drain(context, number, partitions, input, commits, FollowLeaving);
    }

    /// <summary>Works until <paramref name="stopping"/>, then finishes the batch, waits for the acknowledgements, commits and leaves.</summary>
    /// <exception cref="LaneFailure">The lane cannot go on.</exception>
    public void Run(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                try
                {
                    Cycle();
                }
                catch (TransactionBroken transaction)
                {
                    commits.TakeBack(transaction.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop while a broker was asked about new partitions: what is owned already is finished.
        }
        catch (Exception failure)
        {
            if (IsKnown(failure))
            {
                partitions.PutDown(); // The cause is known, and it is none of these rows.
            }

            context.LastCommits.Signal(); // It commits no more: the others need not stay for it.
            throw;
        }

        try
        {
            drain.Run();
        }
        finally
        {
            partitions.PutDown();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        input.Dispose();
        labelInput?.Dispose();
        restorer?.Dispose();
        checkpoints?.Dispose();
        output.Dispose();
        partitions.Dispose();
        pipeline.Dispose();
    }

    private void Cycle()
    {
        long now = clock.GetTimestamp();
        nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        context.Crashes?.GiveTurnBack(number);
        output.Poll(TimeSpan.Zero);
        TakeBackIfBroken();
        decisions.Follow();
        restorer?.Step();
        if (output.HasRoom)
        {
            labelInput?.Fill(nowMs, admission.IsWaitingForLabels ? 1 : 0);
        }

        admission.BeginCycle(nowMs);
        if (output.TakesRecords)
        {
            foreach (var partition in partitions.All)
            {
                admission.ApplyWhileSilent(partition, now);
            }
        }

        if (commits.Oversize is { IsOn: true } && output.TakesRecords)
        {
            partitions.All.ForEach(RefuseLabels); // Before a row is taken: which of them is too large could not be told.
        }

        Release();
        Receive(now, batch.RowCount > 0 || partitions.HaveStaged || pending is not null || restorer is { IsAtWork: true } ? 0 : output.InFlight > 0 ? 1 : IdleWaitMs);
        int rowCount = batch.RowCount;
        if (rowCount > 0)
        {
            Answer(now);
        }

        if (admission.IsWaitingForLabels)
        {
            labelEnds.AskFor(partitions.All, now, clock);
        }

        if (input.Rebalances.Count == 0) // What the group has decided is followed first.
        {
            if (output.TakesRecords)
            {
                Refuse();
                shares.EndCycle(partitions.All, now, progressed: rowCount > 0);
            }

            commits.Step(now, rowCount == context.Lanes.RowsMax, positions);
        }

        gauges.Step(now);
        context.Health.Beat(number, now, input.HasAssignment && input.Rebalances.Count == 0, partitions.All.Count(partition => partition.IsRebuilding));
    }

    /// <summary>Takes back what a rebalance handler left in a transaction that cannot be completed: before its partitions go.</summary>
    private void TakeBackIfBroken()
    {
        if (broken is not null)
        {
            commits.TakeBack(broken);
            broken = null;
        }
    }

    /// <summary>Takes staged rows while they may go, always the one with the lowest event time among the partitions.</summary>
    private void Release()
    {
        labelEnds.Take(partitions.ByNumber);
        while (!batch.IsFull && output.HasRoom)
        {
            PartitionInput? earliest = null;
            foreach (var candidate in partitions.All)
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

            if (!MayAnswer(earliest, earliest.Staged.HeadOffset))
            {
                earliest.IsHeld = true;
                continue;
            }

            if (!MayJoin(earliest, earliest.Staged.HeadOffset))
            {
                break;
            }

            var staged = earliest.Staged;
            if (admission.MayGo(earliest, staged.HeadBatch, staged.HeadRow, staged.HeadOffset, out long behind))
            {
                batch.CopyRow(staged.HeadBatch, staged.HeadRow);
                Accept(earliest, staged.HeadOffset, staged.HeadBatch.AppendTimesMs[staged.HeadRow], behind);
                staged.RemoveHead();
            }
            else
            {
                earliest.IsHeld = true;
                context.Crashes?.GiveTurnBack(number); // It may wait for the lane that wants it.
            }
        }

        foreach (var partition in partitions.All)
        {
            partition.IsHeld = false;
            if (partition is { IsAtEnd: false, IsRestoring: false, Rewinds: > 0 } && input.KnownEnd(partition.Source) is var end && end != Offset.Unset && partition.ReceivedOffset >= end.Value)
            {
                partitions.ReachedEnd(partition.Partition, partition.ReceivedOffset); // One that was set back is told no second time that it stands at the end.
            }

            // More refused records than may wait would keep the next row, and the end, from coming.
            if (partition.IsRebuilding && partition.Staged.Count == 0 && (partition.IsAtEnd || partition.Refused.AreMany))
            {
                admission.FinishRebuild(partition, partition.Refused.Count > 0 ? partition.Refused.HeadOffset : partition.ReceivedOffset);
            }

            if (partition.IsPaused && !partition.IsRestoring && !room.IsHolding && partition.Staged.Count <= context.Lanes.StagedRowsMax / 4 && !partition.Refused.AreMany && !partition.Suspects.AreMany)
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
    private void Receive(long now, int waitMs)
    {
        if (IsAlone || !room.MayRead(now))
        {
            return; // What is read or decoded now would be laid to the row that is alone.
        }

        if (batch.RowCount == 0 && pending is null && !partitions.HaveStaged)
        {
            repeats?.NothingIsOnItsWay();
        }

        if (pending is { } first && !batch.IsFull)
        {
            pending = null;
            if (partitions.Find(first.Partition) is { } owner && owner.Rewinds == first.Rewinds)
            {
                first.CopyTo(batch);
                Take(first.Partition, first.Refusal, first.Offset, first.LeaderEpoch, first.Timestamp, first.Headers);
            }
        }

        for (int budget = context.Lanes.RowsMax; budget > 0 && !batch.IsFull && !IsAlone && (output.HasRoom || room.IsHolding); budget--)
        {
            var result = input.Read(waitMs, nowMs);
            waitMs = 0;
            if (input.HandlerFailure is { } failure)
            {
                if (failure is OperationCanceledException || !IsKnown(failure))
                {
                    ExceptionDispatchInfo.Throw(failure);
                }

                throw new LaneFailure((failure as LaneFailure)?.ExitCode ?? (failure as CommandFailure)?.ExitCode ?? ExitCode.Internal, $"following the group failed: {failure.Message}", failure);
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
                pending = PendingRow.Of(batch, result, partitions.Find(result.Partition.Value)); // The batch is finished with the old assignment first.
            }
            else
            {
                Take(result.Partition.Value, result.Message.Value, result.Offset.Value, result.LeaderEpoch, result.Message.Timestamp, result.Message.Headers);
            }

            if (input.Rebalances.Count > 0)
            {
                break;
            }
        }
    }

    /// <summary>Notes that the reader stands at the end of a partition; not at once where that would pass over records that nobody has seen.</summary>
    /// <remarks>
    /// Control records of transactions stand at an end, too, so it may lie beyond what was received. But one told before any record may be of where the client read before it was set to an offset: once a
    /// lane ended with "went back from offset 594 to 0", of a partition of 594 records. What is passed over may be committed. So the reader is set there once more, and the second time it is believed.
    /// </remarks>
    private void ReachedEnd(int number, long offset)
    {
        if (partitions.Find(number) is { IsRestoring: false } partition)
        {
            if (!input.IsNextEnd(partition, offset))
            {
                return;
            }

            if (!partition.HasReceived && offset > partition.ReceivedOffset && offset != partition.DoubtedEnd)
            {
                partition.DoubtedEnd = offset;
                input.Seek(partition, partition.ReceivedOffset);
                return;
            }
        }

        partitions.ReachedEnd(number, offset);
    }

    /// <summary>Takes the record whose row was begun last in the batch: into the batch, to the rows that wait, or to the dead letters.</summary>
    private void Take(int source, Refusal refusal, long offset, int? leaderEpoch, Timestamp timestamp, Headers? headers)
    {
        if (partitions.ByNumber[source] is not { IsRestoring: false } partition)
        {
            return; // Given up meanwhile: its new owner reads it. Or not begun: it is read again.
        }

        if (!input.IsNext(partition, offset, leaderEpoch, timestamp))
        {
            return;
        }

        if (offset > partition.ReceivedOffset)
        {
            NoteGap(partition, offset);
        }

        partition.ReceivedOffset = offset + 1;
        partition.Last.Is(offset, leaderEpoch, timestamp.UnixTimestampMs);
        partition.HasReceived = true;
        partition.IsAtEnd = false;
        records.Consumed();
        if (refusal.IsNone && partition.Excluded.Contains(offset))
        {
            refusal = new Refusal(RefusalCode.CrashSuspect, "", 0);
        }

        if (!refusal.IsNone)
        {
            if (offset >= partition.ResumeOffset)
            {
                partition.Refused.Add(new RefusedRecord(refusal, context.Topics.Transactions, source, offset, timestamp, input.Key, input.Value, headers));
                PauseIfFull(partition);
            }

            return;
        }

        int row = batch.RowCount;
        repeats?.Take(partition, batch, row, offset, timestamp, headers);
        if (commits.Oversize?.IsOversized(partition.Source, offset) == true)
        {
            partition.Oversized.Add(new RefusedRecord(new Refusal(RefusalCode.AnswerTooLarge, "", 0), context.Topics.Transactions, source, offset, timestamp, input.Key, input.Value, headers));
        }

        if (partition.Staged.Count == 0 && output.TakesRecords && MayAnswer(partition, offset) && MayJoin(partition, offset) && admission.MayGo(partition, batch, row, offset, out long behind))
        {
            Accept(partition, offset, timestamp.UnixTimestampMs, behind);
            return;
        }

        context.Crashes?.GiveTurnBack(number);
        partition.Staged.Add(batch, row, source, offset, timestamp.UnixTimestampMs);
        PauseIfFull(partition);
    }

    private void PauseIfFull(PartitionInput partition)
    {
        if ((partition.Staged.Count >= context.Lanes.StagedRowsMax || partition.Refused.AreMany || partition.Suspects.AreMany) && !partition.IsPaused)
        {
            input.Pause(partition);
        }
    }

    /// <summary>Publishes the dead letters of refused records before which nothing waits.</summary>
    private void Refuse()
    {
        foreach (var partition in partitions.All)
        {
            if (partition.IsRebuilding || partition.IsLost)
            {
                continue;
            }

            while (partition.Refused.Count > 0 && commits.Oversize?.MayTake(partition.Source, partition.Refused.HeadOffset) != false && (partition.Staged.Count == 0 || partition.Refused.HeadOffset < partition.Staged.HeadOffset))
            {
                var refused = partition.Refused.Remove();
                Refuse(refused);
                if (refused.Refusal.Code == RefusalCode.CrashSuspect)
                {
                    commits.Excluded(partition, refused.Offset);
                }
            }

            RefuseLabels(partition);
        }
    }

    private void RefuseLabels(PartitionInput partition)
    {
        while (partition is { IsRebuilding: false, IsLost: false, Labels: { Refused.Count: > 0 } labels } && (labels.Count == 0 || labels.Refused.HeadOffset < labels.HeadOffset))
        {
            Refuse(labels.Refused.Remove());
        }
    }

    private void Refuse(RefusedRecord refused)
    {
        DeadLetter(refused);
        commits.Oversize?.Take(refused.Topic, refused.Partition, refused.Offset, isRefused: true);
    }

    private void DeadLetter(RefusedRecord refused) =>
        records.DeadLetter(refused, isBare: commits.Oversize?.IsBare(refused.Topic, refused.Partition, refused.Offset) == true);

    private void Accept(PartitionInput partition, long offset, long appendTimeMs, long behind)
    {
        behindMs[batch.RowCount] = behind;
        batch.Accept(partition.Partition, offset, appendTimeMs);
        partition.Share.HasUndrained = true;
        partition.TakeInHand(offset);
        mustBeAlone = partition.Crashes?.MustBeAlone(offset) == true;
        if (offset >= partition.ResumeOffset)
        {
            commits.Oversize?.Take(partition.Source.Topic, partition.Partition, offset, isRefused: false);
        }
    }

    /// <summary>Whether the row in hand must be the only one.</summary>
    private bool IsAlone => mustBeAlone && batch.RowCount > 0;

    /// <summary>Whether a row may be computed with those in hand: one that was in hand when the process ended is computed alone, and only one in the process at a time.</summary>
    private bool MayJoin(PartitionInput partition, long offset) =>
        partition.Crashes?.MustBeAlone(offset) == true ? batch.RowCount == 0 && context.Crashes!.TryTakeTurn(number) : !IsAlone;

    /// <summary>Whether a row may be answered in the open transaction: not while an answer that is too large is looked for elsewhere, nor before a refused record that waits, whose dead letter would come behind the position that is committed.</summary>
    private bool MayAnswer(PartitionInput partition, long offset) =>
        commits.Oversize is not { IsOn: true } oversize || offset < partition.ResumeOffset
        || (oversize.MayTake(partition.Source, offset) && (partition.Refused.Count == 0 || partition.Refused.HeadOffset > offset));

    /// <summary>Scores the batch and publishes what its rows ask for.</summary>
    private void Answer(long started)
    {
        partitions.NoteInHand();
        context.Planted.KillOn(batch);
        pipeline.Compute(batch, partitions.States);
        bool holdsAnswers = HoldsAnswers();
        if (holdsAnswers || pipeline.LacksAnswers(batch, partitions.States))
        {
            pipeline.Score(batch);
            if (holdsAnswers)
            {
                commits.BeforeAnswers();
            }

            records.Begin(nowMs, started);
            for (int row = 0; row < batch.RowCount; row++)
            {
                Answer(row);
            }

            records.End(batch, holdsAnswers);
        }

        foreach (var partition in partitions.All)
        {
            partition.PutDown(isAnswered: true);
            partition.State.DropForgottenAnswers();
        }

        batch.Clear();
        pipeline.Clear();
        mustBeAlone = false;
    }

    private void Answer(int row)
    {
        if (!IsDue(row))
        {
            repeats?.Rebuild(partitions.ByNumber[batch.Partitions[row]]!, batch, row, behindMs[row], nowMs);
        }
        else if (partitions.ByNumber[batch.Partitions[row]]! is { Oversized.Count: > 0 } partition && partition.Oversized.HeadOffset == batch.Offsets[row])
        {
            repeats?.Rebuild(partition, batch, row, behindMs[row], nowMs);
            var refused = partition.Oversized.Remove();
            if (repeats is not null && pipeline.RepetitionOf(row) == Repetition.Conflict)
            {
                records.DeadLetter(refused with { Refusal = LaneRepeats.Conflict(context.Definition) }, isBare: true); // In full, that dead letter was what is too large.
            }
            else
            {
                DeadLetter(refused);
            }
        }
        else if (repeats is null)
        {
            records.Write(batch, row, pipeline, behindMs[row]);
        }
        else
        {
            repeats.Publish(partitions.ByNumber[batch.Partitions[row]]!, batch, row, behindMs[row]);
        }
    }

    /// <summary>The group has given partitions to others already, who read their rows again: nothing more is said for them.</summary>
    private void Lost(IReadOnlyList<TopicPartition> gone)
    {
        broken = "partitions were lost";
        partitions.Lost(gone);
        foreach (var partition in gone)
        {
            commits.Forget(partition);
            commits.Forget(new TopicPartition(context.Topics.Labels, partition.Partition));
        }
    }

    private void FollowLeaving()
    {
        TakeBackIfBroken();
        decisions.Follow(takesPartitions: false);
    }

    /// <summary>Whether a row is to be answered: those before the resume offset were, before the restart; those of a lost partition are another's.</summary>
    private bool IsDue(int row) => partitions.ByNumber[batch.Partitions[row]]! is { IsLost: false } partition && batch.Offsets[row] >= partition.ResumeOffset;

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

    /// <summary>Whether an end has a cause of its own: a broker, a right, a setting. Else what is in hand may be the cause.</summary>
    private static bool IsKnown(Exception failure) => failure is LaneFailure or CommandFailure or KafkaException or TransactionBroken;

    private void NoteGap(PartitionInput partition, long offset)
    {
        // A gap also stands where control records of Kafka transactions are; it is a loss only as far as the log starts behind it.
        long found = Math.Min(input.KnownStart(partition.Source).Value, offset);
        if (context.Gaps.Count(partition.Partition, partition.ReceivedOffset, found) is { } expected)
        {
            LogMessages.InputGap(context.Logger, partition.Partition, expected, found);
        }
    }

    private void Assigning(IReadOnlyList<TopicPartition> coming) => decisions.Assigning(coming);

    /// <summary>The group takes partitions away: rows in hand are answered, acknowledged and committed while they are still ours. From then on they are not.</summary>
    private void BeforeRevoke(IReadOnlyList<TopicPartition> going)
    {
        partitions.Leaving(going);
        try
        {
            if (batch.RowCount > 0)
            {
                Answer(clock.GetTimestamp());
            }

            if (output.TakesRecords)
            {
                Refuse();
            }

            commits.Finish(positions, TimeSpan.FromSeconds(3)); // What it could not commit it has counted; the new owner does it.
        }
        catch (TransactionBroken transaction)
        {
            broken = transaction.Message;
        }

        // The group would take their offsets of us as soon as we are a member of the next generation, whoever owns them then.
        partitions.Lost(going);
    }
}
