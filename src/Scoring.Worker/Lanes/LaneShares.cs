using Confluent.Kafka;
using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Features.Sharing;
using Scoring.Worker.Operations;
using Scoring.Worker.State;

namespace Scoring.Worker.Lanes;

/// <summary>What a lane's partitions contribute to shared entities and how far they are; and whether the others are far enough for a row.</summary>
/// <remarks>
/// <para>Contributions go to the ledger of this process at once and to the topic for everyone else, then the watermark that covers them.
/// A watermark may already be the time of the row that comes next: what that row gives goes to a pane that ends later.</para>
/// <para>A partition that came from a former owner stays silent until it has reached what that one has published: its sums
/// would be smaller than those the others have read.</para>
/// </remarks>
internal sealed class LaneShares
{
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(1);

    private readonly LaneContext context;
    private readonly LaneOutput output;
    private readonly AggregatesLedger ledger;
    private readonly TimeProvider clock;
    private readonly long advanceMs;
    private readonly long untoldMsMax;
    private readonly (long PaneMs, long AheadMs)[] marks;
    private readonly TimeSpan interval;
    private readonly byte[] silence = new byte[ContributionMark.KeyBytes];
    private bool isBlocked;
    private bool waitIsOver;
    private long waitingSince;
    private long stuckSince;
    private long stuckAtMs;
    private int doubts;
    private long doubtedAt;

    /// <summary>Starts with nothing told.</summary>
    public LaneShares(LaneContext context, LaneOutput output)
    {
        this.context = context;
        this.output = output;
        ledger = context.Ledger;
        clock = context.Clock;
        interval = TimeSpan.FromMilliseconds(context.Aggregates.PublishIntervalMs);
        var shared = context.Definition.Entities.Values.Select(entity => entity.Shared).OfType<SharedDefinition>().ToList();
        advanceMs = shared.Select(entity => (long)entity.Settle.TotalMilliseconds / 2).DefaultIfEmpty(long.MaxValue).Min();
        marks = [.. shared.SelectMany(Marks).Distinct()];
        untoldMsMax = context.Definition.Entities.Where(entity => entity.Value.Shared is not null).Select(entity => Longest(context.Definition, entity.Key)).Where(longest => longest > 0).DefaultIfEmpty(long.MaxValue).Min();
    }

    /// <summary>By how much others were behind a row at most, ms, since it was set back to 0.</summary>
    public long LongestBehindMs { get; set; }

    /// <summary>Whether the process stood still a moment ago: the lane does not know yet which of its partitions are still its own.</summary>
    private bool DoubtsSilence => doubtedAt != 0 || doubts != ledger.Doubts;

    /// <summary>Forgets that a row had to wait.</summary>
    public void BeginCycle()
    {
        isBlocked = false;
        ledger.Beat(clock);
    }

    /// <summary>Whether a row may be computed now; if not, the lane waits for others.</summary>
    /// <param name="partition">Its partition, whose labels due before it are applied.</param>
    /// <param name="horizonMs">Time that every source must have reached.</param>
    /// <param name="timeMs">Its event time.</param>
    /// <param name="isHistory">Whether it may wait for others; live traffic never does, but for a cycle in which its own partition's contributions are told.</param>
    /// <param name="behindMs">Where it goes although others are behind: by how much event time, ms; <see cref="long.MaxValue"/> for one that has never spoken. Else 0.</param>
    public bool MayGo(PartitionInput partition, long horizonMs, long timeMs, bool isHistory, out long behindMs)
    {
        behindMs = 0;
        if (horizonMs == long.MinValue)
        {
            return true;
        }

        var share = partition.Share;
        if (share.IsIdle)
        {
            Announce(partition, timeMs);
        }

        if (share.HasUndrained)
        {
            long toldMs = share.IsOwned ? share.PublishedMs : ledger.ReceivedWatermarkMs(partition.Partition);
            if (toldMs == long.MinValue || timeMs - toldMs > untoldMsMax)
            {
                isBlocked = true; // What it gives must be told before it expires: the next cycle goes on, behind the telling.
                return false;
            }
        }

        if (ledger.MinWatermarkMs >= horizonMs)
        {
            return true;
        }

        if (!share.HasUndrained && TryOwn(partition, timeMs))
        {
            Announce(partition, timeMs);
            if (ledger.MinWatermarkMs >= horizonMs)
            {
                return true;
            }
        }

        if (waitIsOver && ledger.MinWatermarkMs != stuckAtMs)
        {
            waitIsOver = false; // The others move again.
        }

        if (!isHistory || waitIsOver)
        {
            long reachedMs = ledger.MinWatermarkMs;
            behindMs = reachedMs == long.MinValue ? long.MaxValue : Math.Max(1, horizonMs - reachedMs); // Another thread may have moved it on meanwhile.
            LongestBehindMs = Math.Max(LongestBehindMs, behindMs);
            return true;
        }

        isBlocked = true;
        return false;
    }

    /// <summary>Whether the reader has come to where the aggregates topic ended when the partition was given to this lane.</summary>
    public bool KnowsFormerOwner(PartitionInput partition)
    {
        bool knows = ledger.Position(partition.Partition) >= partition.Share.KnownAtOffset;
        isBlocked |= !knows;
        return knows;
    }

    /// <summary>Publishes what is due; waits a moment for the others when nothing could go.</summary>
    public void EndCycle(List<PartitionInput> owned, long now, bool progressed)
    {
        if (!context.UsesAggregates)
        {
            return;
        }

        if (doubts != ledger.Doubts)
        {
            (doubts, doubtedAt) = (ledger.Doubts, now);
            owned.ForEach(static partition => partition.Share.IsIdle = false);
        }
        else if (doubtedAt != 0 && clock.GetElapsedTime(doubtedAt, now) > IdleAfter)
        {
            doubtedAt = 0; // By now the group has told the lane what it lost.
        }

        foreach (var partition in owned)
        {
            Publish(partition, now, isDue: false);
        }

        Wait(now, progressed);
    }

    /// <summary>Notes how far the topic is read while a commit begins: if it succeeds, all that stands before is the lane's own.</summary>
    public void NotePositions(List<PartitionInput> owned)
    {
        foreach (var partition in owned)
        {
            partition.Share.ReaderPosition = ledger.Position(partition.Partition);
        }
    }

    /// <summary>What a partition has told is committed.</summary>
    public void Settle(PartitionInput partition)
    {
        if (partition.Share.IsOwned)
        {
            ledger.Settle(partition.Partition, partition.Share.Assignment, partition.Share.ReaderPosition);
        }
    }

    /// <summary>What a partition has told since its last commit is about to be taken back.</summary>
    /// <returns>Takes each contribution that had changed, as it was then; null where this lane has told nothing.</returns>
    public ContributionWriter? TakingBack(PartitionInput partition)
    {
        if (!partition.Share.IsOwned)
        {
            return null;
        }

        ledger.TakeBack(partition.Partition, partition.Share.Assignment);
        return (key, sum) => ledger.Apply(partition.Partition, partition.Share.Assignment, key, sum);
    }

    /// <summary>Tells this process again how far a partition is, after it was taken back to its last commit.</summary>
    public void Rewound(PartitionInput partition)
    {
        if (context.UsesAggregates && partition.Share.IsOwned)
        {
            Say(partition, partition.Share.IsIdle && !DoubtsSilence);
        }
    }

    /// <summary>Speaks for a partition no longer.</summary>
    public void GiveUp(PartitionInput partition) => ledger.GiveUp(partition.Partition, partition.Share.Assignment);

    /// <summary>Publishes what a partition has contributed.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="now">Timestamp of the cycle.</param>
    /// <param name="isDue">Whether at once; if not, when the interval is over or others may wait for it.</param>
    public void Publish(PartitionInput partition, long now, bool isDue)
    {
        if (partition.IsRestoring)
        {
            return;
        }

        var share = partition.Share;
        long watermarkMs = partition.State.WatermarkMs;
        if (!partition.IsRebuilding)
        {
            // A partition that has nothing to answer keeps nothing for itself; one whose first row is still to come may read anything.
            bool hasNone = share.IsIdle || (watermarkMs == long.MinValue && partition.IsAtEnd && partition.Staged.Count == 0);
            bool mayReadAgain = partition.IsAnswering && partition.Position > partition.RewindOffset;
            ledger.Reading(partition.Partition, hasNone && !mayReadAgain ? long.MaxValue : partition.State.WatermarkKeptMs);
        }

        if (share.IsLeaving || !MaySpeak(partition, watermarkMs))
        {
            return;
        }

        // Where the topic says that the partition is silent, others do not wait for what it gives: that goes with the rows that give it, not after them.
        isDue |= isBlocked || (share.StandsSilent && share.HasUndrained) || clock.GetElapsedTime(share.PublishedAt, now) >= interval || HasNews(watermarkMs, share.PublishedMs);
        if (!isDue)
        {
            return;
        }

        var target = new TopicPartition(context.Topics.Aggregates, partition.Partition);
        bool isIdle = !DoubtsSilence && partition.IsAtEnd && partition.Staged.Count == 0 && clock.GetElapsedTime(partition.AtEndSince, now) > IdleAfter;
        if (share.HasUndrained || watermarkMs > share.AnnouncedMs || share.MarkIsDue)
        {
            partition.State.DrainContributions((entry, sum) =>
            {
                ledger.Apply(target.Partition.Value, share.Assignment, entry, sum);
                output.Produce(target, entry, sum, hasValue: !sum.IsEmpty); // The watermark comes last: it covers what stands before it.
            });
            share.HasUndrained = false;
            share.MarkIsDue = false;
            share.StandsSilent = false;
            share.AnnouncedMs = Math.Max(watermarkMs, share.AnnouncedMs);
            share.PublishedMs = watermarkMs; // What stands in the mark. What was announced may be more, if it was taken back since.
            context.Metrics.Watermark.WithLabels(partition.Name).Set(Math.Max(0, share.AnnouncedMs / 1_000.0));
            Say(partition, isIdle: false);
        }

        if (isIdle != share.IsIdle)
        {
            Say(partition, isIdle);
            if (isIdle)
            {
                ContributionMark.WriteSilence(silence, partition.Partition);
                output.Produce(target, silence, [1]);
                share.StandsSilent = true;
            }
        }

        share.PublishedAt = now;
        if (!context.IsExactlyOnce)
        {
            ledger.Settle(partition.Partition, share.Assignment, ledger.Position(partition.Partition)); // Nothing of it is ever taken back.
        }
    }

    /// <summary>Tells this process how far a partition is; the topic hears it with the next publication.</summary>
    private void Announce(PartitionInput partition, long nextRowMs)
    {
        var share = partition.Share;
        long reachedMs = Math.Max(Math.Max(partition.State.WatermarkMs, nextRowMs), share.AnnouncedMs);
        if (reachedMs > share.AnnouncedMs || nextRowMs > partition.State.WatermarkMs || share.IsIdle)
        {
            partition.State.AdvanceWatermark(nextRowMs); // So a label that comes before the row cannot reach back behind it.
            share.AnnouncedMs = reachedMs;
            share.MarkIsDue = true;
            Say(partition, isIdle: false);
        }
    }

    private void Say(PartitionInput partition, bool isIdle)
    {
        partition.Share.IsIdle = isIdle;
        ledger.Announce(partition.Partition, partition.Share.Assignment, partition.Share.AnnouncedMs, isIdle);
    }

    /// <summary>Whether contributions are to be published; drops those that a former owner has published already.</summary>
    /// <remarks>
    /// Everything before the row that brings the published watermark was published. What comes from then on may have been committed and
    /// not published: it is kept until the partition speaks again, through the rebuild too.
    /// </remarks>
    private bool MaySpeak(PartitionInput partition, long watermarkMs)
    {
        var share = partition.Share;
        if (share.IsOwned)
        {
            return true;
        }

        if (ledger.Position(partition.Partition) < share.KnownAtOffset)
        {
            return false;
        }

        if (watermarkMs < ledger.ReceivedWatermarkMs(partition.Partition))
        {
            if (share.HasUndrained)
            {
                partition.State.DrainContributions(static (_, _) => { });
                share.HasUndrained = false;
            }

            return false;
        }

        return !partition.IsRebuilding && TryOwn(partition, watermarkMs);
    }

    private bool TryOwn(PartitionInput partition, long reachedMs)
    {
        var share = partition.Share;
        if (!share.IsOwned && Math.Max(partition.State.WatermarkMs, reachedMs) >= ledger.ReceivedWatermarkMs(partition.Partition))
        {
            ledger.Own(partition.Partition, share.Assignment, share.ReadBefore);
            share.IsOwned = true;
            share.AnnouncedMs = ledger.ReceivedWatermarkMs(partition.Partition);
        }

        return share.IsOwned;
    }

    private void Wait(long now, bool progressed)
    {
        if (!isBlocked || progressed)
        {
            if (waitingSince != 0)
            {
                context.Metrics.AggregatesWait.Observe(clock.GetElapsedTime(waitingSince, now).TotalSeconds);
                waitingSince = 0;
            }

            return;
        }

        long minMs = ledger.MinWatermarkMs;
        if (waitingSince == 0 || minMs != stuckAtMs)
        {
            waitingSince = waitingSince == 0 ? now : waitingSince;
            (stuckSince, stuckAtMs, waitIsOver) = (now, minMs, false);
        }
        else if (!waitIsOver && clock.GetElapsedTime(stuckSince, now).TotalSeconds > context.Aggregates.WaitSecondsMax)
        {
            waitIsOver = true;
            LogMessages.WaitGivenUp(context.Logger, context.Aggregates.WaitSecondsMax);
        }

        ledger.WaitForNews();
    }

    // While history is read faster than it happened, others wait for panes that have closed: between two ends of panes there is
    // nothing they could use, and a sum that is published later holds more events in one record.
    private bool HasNews(long reachedMs, long publishedMs)
    {
        if (reachedMs == long.MinValue || publishedMs == long.MinValue)
        {
            return reachedMs != publishedMs;
        }

        if (reachedMs - publishedMs < advanceMs)
        {
            return false;
        }

        foreach (var (pane, ahead) in marks)
        {
            if ((reachedMs + ahead) / pane != (publishedMs + ahead) / pane)
            {
                return true;
            }
        }

        return false;
    }

    // Panes are kept for the longest window that looks at them, at least.
    private static long Longest(ServiceDefinition definition, string entity) =>
        definition.Features.Where(feature => string.Equals(feature.Entity, entity, StringComparison.Ordinal)).Select(feature => (long)(feature.Window ?? TimeSpan.Zero).TotalMilliseconds).DefaultIfEmpty(0).Max();

    // A pane of events is final when it ends, one of labels when it is to begin after the settling time.
    private IEnumerable<(long PaneMs, long AheadMs)> Marks(SharedDefinition entity)
    {
        long paneMs = (long)entity.Pane.TotalMilliseconds;
        yield return (paneMs, 0);
        if (context.ReadsLabels)
        {
            yield return (paneMs, (long)entity.Settle.TotalMilliseconds);
        }
    }
}
