using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Prometheus;
using Scoring.Worker.Checkpoints;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Exactly once: commits output and input offsets together, and takes the lane back to the last commit when that fails.</summary>
/// <remarks>
/// While a commit is under way, or its outcome is not known, nothing is processed: the lane only polls, so that it stays in its group.
/// Safety rests on the broker alone: the producer's identifier fences an earlier process of the same name, and the offsets are refused
/// when the group has moved on. What a rebalance handler was told is never proof of owning a partition.
/// </remarks>
internal sealed class TransactionCommits : LaneCommits
{
    private const int IntervalMsMin = 10;
    private const int RestMsMin = 5;
    private const int RestMsMax = 2_000;

    /// <summary>
    /// Until the broker has written the markers of one transaction, it takes no partition into the next, and the client asks again after 20 ms (docs/decisions/0014): 83 of 623
    /// transactions met that without this pause, 3 of 734 with it. A busy lane goes on: it computes for longer than that before it commits again.
    /// </summary>
    private static readonly TimeSpan MarkersTime = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan CommitBound = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan InitialiseBound = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RestStep = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan UnknownBound = TimeSpan.FromSeconds(60);

    private readonly TransactionalOutput output;
    private readonly TransactionInput input;
    private readonly LaneRewind rewind;
    private readonly StateChangelog? changelog;
    private readonly LaneCheckpoints? checkpoints;
    private readonly LaneContext context;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly TimeProvider clock;
    private readonly TimeSpan intervalMax;
    private readonly int lane;
    private readonly List<TopicPartitionOffset> noted = [];
    private readonly TakenBack takenBack;
    private readonly OversizeSearch oversize;
    private readonly FenceCount fences;
    private readonly Histogram.Child sendTime;
    private readonly Histogram.Child offsetsTime;
    private readonly Histogram.Child endTime;
    private int aborts;
    private bool wasTooLarge;
    private long commitStarted;
    private long committedAt;
    private long untoldSince;
    private long joined;
    private bool hasTime;
    private TimeSpan cost = TimeSpan.FromMilliseconds(2);

    /// <summary>Starts with nothing to commit and no producer yet.</summary>
    /// <param name="output">Whose transactions are committed.</param>
    /// <param name="input">Whose membership and offsets.</param>
    /// <param name="rewind">Takes the lane back.</param>
    /// <param name="changelog">Copies state, where there is any.</param>
    /// <param name="checkpoints">Copies it to disk, where that is wanted.</param>
    /// <param name="context">The lane's.</param>
    /// <param name="lane">For the log.</param>
    public TransactionCommits(TransactionalOutput output, TransactionInput input, LaneRewind rewind, StateChangelog? changelog, LaneCheckpoints? checkpoints, LaneContext context, int lane)
    {
        this.output = output;
        this.input = input;
        this.rewind = rewind;
        this.changelog = changelog;
        this.checkpoints = checkpoints;
        this.context = context;
        this.lane = lane;
        takenBack = new TakenBack(output, input, context);
        oversize = new OversizeSearch(context.Topics.Transactions, context.Clock);
        metrics = context.Metrics;
        logger = context.Logger;
        clock = context.Clock;
        sendTime = metrics.CommitStepDuration.WithLabels("send");
        offsetsTime = metrics.CommitStepDuration.WithLabels("offsets");
        endTime = metrics.CommitStepDuration.WithLabels("end");
        fences = new FenceCount(context.TransactionalId(lane), metrics, clock);
        intervalMax = TimeSpan.FromMilliseconds(context.Lanes.CommitIntervalMs);
        committedAt = clock.GetTimestamp();
    }

    /// <inheritdoc/>
    public override OversizeSearch Oversize => oversize;

    /// <inheritdoc/>
    public override void Step(long now, bool isBusy, Func<IEnumerable<TopicPartitionOffset>> positions)
    {
        oversize.GiveUpIfStuck();
        if (!output.IsReady)
        {
            Prepare();
        }
        else if (output.IsCommitting)
        {
            Advance();
        }
        else if (output.IsUnknown)
        {
            Look();
        }
        else if (output.IsHeld)
        {
            takenBack.Look();
        }
        else if (output.TakesRecords && IsDue(now, isBusy))
        {
            Begin(now, positions(), isBusy, isLast: false);
        }
        else if (!isBusy && aborts == 0 && !oversize.IsOn && output.TakesRecords)
        {
            output.SendAhead(); // Not after something failed: a record that is refused ahead would be refused without the commit that tells why.
        }
    }

    /// <inheritdoc/>
    public override void BeforeAnswers()
    {
        if (changelog is not null && (!output.IsOpen || joined != output.Opened))
        {
            changelog.Join();
            joined = output.Opened;
        }
    }

    /// <inheritdoc/>
    public override void Excluded(PartitionInput partition, long offset) => changelog?.Exclude(partition, offset);

    /// <inheritdoc/>
    public override bool Finish(Func<IEnumerable<TopicPartitionOffset>> positions, TimeSpan bound)
    {
        long started = clock.GetTimestamp();
        do
        {
            if (output.TakesRecords)
            {
                Begin(clock.GetTimestamp(), positions(), isBusy: false, isLast: true);
                if (output.TakesRecords)
                {
                    return true; // Committed, or taken back to where all is committed.
                }
            }
            else
            {
                Step(clock.GetTimestamp(), isBusy: false, positions);
                if (output is { IsReady: true, IsCommitting: false, IsUnknown: false, TakesRecords: false })
                {
                    output.Poll(RestStep); // It rests after something failed.
                }
            }
        }
        while (clock.GetElapsedTime(started) < bound);
        metrics.CommitFailures.Inc();
        return false;
    }

    /// <inheritdoc/>
    public override void Forget(TopicPartition partition)
    {
        noted.RemoveAll(position => position.TopicPartition.Equals(partition));
        oversize.Forget(partition);
    }

    /// <inheritdoc/>
    public override void TakeBack(string reason)
    {
        if (output.IsCommitting || output.IsUnknown)
        {
            return; // It may be committed: what the broker answers decides.
        }

        LogMessages.TransactionAborted(logger, lane, reason);
        metrics.Transactions.WithLabels("aborted").Inc();
        if (!output.TryAbort())
        {
            bool isFenced = output.IsFenced;
            Replace(isFenced ? "fenced" : "abort");
            if (isFenced)
            {
                fences.Add(output.OpenFor);
            }
        }

        rewind.All();
        oversize.Discard();
        takenBack.Begin();
        output.Rest(TimeSpan.FromMilliseconds(Math.Min(RestMsMax, RestMsMin << Math.Min(aborts, 16))));
        aborts++;
    }

    /// <summary>Whether a commit is to begin: what it holds is enough, or its interval has passed and no other lane of the worker has just begun one.</summary>
    private bool IsDue(long now, bool isBusy) => output.IsFull || oversize.IsFull || context.Spacing.IsDue(clock.GetElapsedTime(committedAt, now), Interval(isBusy), cost);

    /// <summary>Short while there is little to do, so that readers see scores soon; long under load, so that commits take a small share of the time.</summary>
    private TimeSpan Interval(bool isBusy)
    {
        var quick = TimeSpan.FromMilliseconds(Math.Max(IntervalMsMin, 5 * cost.TotalMilliseconds));
        return isBusy || quick > intervalMax ? intervalMax : quick;
    }

    private void Begin(long now, IEnumerable<TopicPartitionOffset> positions, bool isBusy, bool isLast)
    {
        noted.Clear();
        bool hasMoved = output.IsOpen || (isLast && changelog is { HasToTell: true });
        foreach (var position in positions)
        {
            if (rewind.OffsetOf(position.TopicPartition) is { } before)
            {
                noted.Add(position); // Moved or not: the group's check of membership is what stops a lane that is no owner any more.
                hasMoved |= before != position.Offset.Value;
            }
        }

        hasTime = !isBusy && !isLast;
        commitStarted = clock.GetTimestamp(); // Not the cycle's time, which began before the batch was scored.
        committedAt = now;
        if (!hasMoved)
        {
            return;
        }

        context.Spacing.Begins();
        rewind.BeginCommit();
        if (noted.Count == 0)
        {
            TakeBack("the lane owns none of the partitions that its transaction is about");
            return;
        }

        try
        {
            changelog?.WriteFor(now, isLast, Timing());
        }
        catch (TransactionBroken broken)
        {
            TakeBack(broken.Message);
            return;
        }

        if (context.Planted.Aborts())
        {
            TakeBack("a test wants it");
            return;
        }

        if (context.Planted.Doubts())
        {
            LookAfterReplacing("unknown");
            return;
        }

        takenBack.MayHold(noted);
        Advance();
    }

    private MarkTiming Timing() => oversize.IsOn ? MarkTiming.OnlyNeeded : hasTime ? MarkTiming.Early : MarkTiming.WhenDue;

    /// <summary>What is committed: what was noted, unless a test plants a mistake.</summary>
    private List<TopicPartitionOffset> ToCommit() => context.Planted.Bug switch
    {
        PlantedBug.NoOffsets => [],
        PlantedBug.PositionOffByOne => [.. noted.Select(position => new TopicPartitionOffset(position.TopicPartition, position.Offset + 1))],
        _ => [.. noted], // What is noted may be forgotten while the commit is under way.
    };

    private void Advance()
    {
        TransactionAnswer answer;
        bool tookTooLong;
        try
        {
            answer = output.IsCommitting ? output.GoOn(out tookTooLong) : output.Commit(ToCommit(), input.Member, out tookTooLong);
        }
        catch (TransactionBroken broken)
        {
            TakeBack(broken.Message);
            return;
        }

        bool wasSearching = oversize.IsOn;
        switch (answer)
        {
            case TransactionAnswer.Done when context.Planted.Doubts():
                LookAfterReplacing("unknown");
                break;
            case TransactionAnswer.Done:
                Committed(byThisLane: true);
                ObserveSteps();
                if (tookTooLong)
                {
                    Replace("slow");
                }

                break;
            case TransactionAnswer.CallAgain when clock.GetElapsedTime(commitStarted) < CommitBound:
                break;
            case TransactionAnswer.CallAgain or TransactionAnswer.Unknown:
                LookAfterReplacing("unknown");
                break;
            case TransactionAnswer.Fenced:
                fences.Add(output.OpenFor);
                LookAfterReplacing("fenced");
                break;
            case TransactionAnswer.Stop:
                throw new LaneFailure(ExitCode.Configuration, $"the transaction was refused: {output.LastError!.Reason}; the worker needs WRITE on its outputs, READ on its inputs and its group, WRITE on its transactional id");
            case TransactionAnswer.AbortTooLarge when (wasTooLarge || wasSearching) && !oversize.Refused(noted):
                throw new LaneFailure(ExitCode.Internal, $"an output record was refused: {output.LastError!.Reason}; raise max.message.bytes of the topic, or have fewer members in what is published");
            default:
                if (answer == TransactionAnswer.AbortTooLarge)
                {
                    if (oversize.IsOn && !wasSearching)
                    {
                        input.KeepValues(); // Of good records, too: for the dead letter of the one that is looked for.
                        LogMessages.OversizedSought(logger, lane);
                    }

                    if (oversize.Found is { } found)
                    {
                        LogMessages.OversizedFound(logger, found.Topic, found.Partition.Value, found.Offset.Value);
                    }

                    wasTooLarge = true;
                }

                output.GiveUpCommit();
                TakeBack(output.LastError!.Reason);
                if ((tookTooLong || answer != TransactionAnswer.AbortNotOwner) && output.IsReady)
                {
                    Replace(tookTooLong ? "slow" : "abort"); // After a refused record the client misses sequence numbers, and says so in the next transaction.
                }

                break;
        }
    }

    private void Committed(bool byThisLane)
    {
        var took = clock.GetElapsedTime(commitStarted);
        cost = (cost * 0.8) + (took * 0.2);
        metrics.CommitDuration.Observe(took.TotalSeconds);
        metrics.Transactions.WithLabels("committed").Inc();
        output.Resolve();
        takenBack.End();
        aborts = 0;
        wasTooLarge = false;
        rewind.Settle(noted, byThisLane);
        oversize.Committed(noted);
        checkpoints?.Step(clock.GetTimestamp());
        if (hasTime)
        {
            output.Poll(MarkersTime);
        }
    }

    private void ObserveSteps()
    {
        var (send, offsets, end) = output.StepTimes;
        sendTime.Observe(send.TotalSeconds);
        offsetsTime.Observe(offsets.TotalSeconds);
        endTime.Observe(end.TotalSeconds);
    }

    private void LookAfterReplacing(string cause)
    {
        LogMessages.OutcomeUnknown(logger, lane, output.LastError?.Reason ?? "the broker did not answer in time");
        metrics.Transactions.WithLabels("unknown").Inc();
        output.Doubt();
        Replace(cause);
    }

    private void Replace(string cause)
    {
        metrics.ProducerReplacements.WithLabels(cause).Inc();
        output.Replace();
    }

    /// <summary>Makes a producer; the broker answers only when the transaction of the one before is decided.</summary>
    private void Prepare()
    {
        try
        {
            if (output.TryInitialise(InitialiseBound) && output.IsUnknown)
            {
                Look();
            }
        }
        catch (KafkaException error) when (TransactionErrors.OfInitialise(error) == TransactionAnswer.Fenced)
        {
            fences.Add(TimeSpan.Zero);
        }
        catch (KafkaException error)
        {
            throw new LaneFailure(ExitCode.Configuration, $"no transactions under the identifier {context.TransactionalId(lane)}: {error.Error.Reason}", error);
        }
    }

    /// <summary>The outcome of the last commit, as the group's offsets tell it.</summary>
    private void Look()
    {
        List<TopicPartitionOffset> committed;
        try
        {
            committed = input.Committed(noted.Select(position => position.TopicPartition));
        }
        catch (KafkaException unanswered)
        {
            untoldSince = untoldSince == 0 ? clock.GetTimestamp() : untoldSince;
            if (clock.GetElapsedTime(untoldSince) < UnknownBound)
            {
                return; // Asked again in the next cycle.
            }

            throw new LaneFailure(ExitCode.Unavailable, FormattableString.Invariant($"the group has been asked for {UnknownBound.TotalSeconds} s whether it has the last commit, and does not tell ({unanswered.Error.Reason}); what it has decides after a restart"), unanswered);
        }

        untoldSince = 0;
        if (context.Planted.Bug == PlantedBug.UnknownIsDone)
        {
            Committed(byThisLane: false);
            return;
        }

        var byPartition = committed.ToDictionary(position => position.TopicPartition, position => position.Offset.Value);
        bool isNew = noted.Exists(position => rewind.OffsetOf(position.TopicPartition) != position.Offset.Value);
        if (isNew && context.Planted.Bug != PlantedBug.UnknownIsTakenBack && noted.TrueForAll(position => byPartition[position.TopicPartition] == position.Offset.Value))
        {
            Committed(byThisLane: false);
            return;
        }

        output.Resolve();
        takenBack.Begin();
        rewind.All();
        oversize.Discard();
        if (context.Planted.Bug == PlantedBug.UnknownIsTakenBack)
        {
            return;
        }

        foreach (var position in noted)
        {
            long found = byPartition[position.TopicPartition];
            if (found != Offset.Unset && rewind.OffsetOf(position.TopicPartition) is { } before && found != before)
            {
                throw new LaneFailure(
                    ExitCode.Unavailable,
                    string.Create(CultureInfo.InvariantCulture, $"{position.Topic} [{position.Partition.Value}] is committed to {found}, which this lane has not: another owner went on, or the group's offsets were set; the lane starts anew"));
            }
        }
    }
}
