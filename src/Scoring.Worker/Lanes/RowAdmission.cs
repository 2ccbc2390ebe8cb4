using Scoring.Models.Events;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Lanes;

/// <summary>Decides whether the next row of a partition may be computed now: after the labels before it, and once others are far enough.</summary>
/// <param name="context">The lane's.</param>
/// <param name="lane">For the log.</param>
/// <param name="partitions">Whose rows are meant.</param>
/// <param name="batch">Rows taken and not computed yet: they come before every label that is applied here.</param>
/// <param name="pipeline">Computes them, and applies labels.</param>
/// <param name="shares">Knows how far others are.</param>
/// <param name="records">Counts labels.</param>
/// <param name="stateMetrics">Told where a partition begins to answer.</param>
internal sealed class RowAdmission(LaneContext context, int lane, OwnedPartitions partitions, TransactionBatch batch, ScoringPipeline pipeline, LaneShares shares, OutputRecords records, StateMetrics stateMetrics)
{
    // Event time of the others can be minutes ahead after a broker's pause, because their records came first. Then rows older than a label
    // are still on their way, and would be late behind it. Labels take days: a few seconds more are nothing to them.
    private static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(10);

    private long nowMs;

    /// <summary>Whether a row had to wait for labels in this cycle.</summary>
    public bool IsWaitingForLabels { get; private set; }

    /// <summary>Begins a cycle.</summary>
    /// <param name="wallClockMs">Its wall clock, ms since 1970 UTC: what is history and what is live.</param>
    public void BeginCycle(long wallClockMs)
    {
        nowMs = wallClockMs;
        IsWaitingForLabels = false;
        shares.BeginCycle();
    }

    /// <summary>Whether the next row of a partition may be computed now, and by how much event time others are behind it then. Applies the labels that come before it.</summary>
    public bool MayGo(PartitionInput partition, TransactionBatch rows, int row, long offset, out long behindMs)
    {
        behindMs = 0;
        long timeMs = rows.Times(context.Schema.EventTime)[row];
        bool answers = offset >= partition.ResumeOffset;
        bool isHistory = !answers || timeMs < nowMs - (context.Aggregates.LiveSeconds * 1_000L);
        if (partition.IsRebuilding)
        {
            // A label that came after the rows had been answered belongs where it was, or would have been: behind the rows that only rebuild state.
            if (!LabelsAreApplied(partition, timeMs, offset, isHistory, partition.Labels?.ResumeOffset ?? 0))
            {
                return false;
            }

            if (!answers)
            {
                return true; // Nobody sees the features of a row that only rebuilds state.
            }

            if (!FinishRebuild(partition, offset))
            {
                return false;
            }
        }

        if (!LabelsAreApplied(partition, timeMs, offset, isHistory, long.MaxValue))
        {
            return false;
        }

        return shares.MayGo(partition, pipeline.SettledHorizonMs(rows, row), timeMs, isHistory, out behindMs);
    }

    /// <summary>Applies the labels of a partition without traffic as far as the others are: its known frauds count for them too.</summary>
    /// <remarks>Only when it stays silent behind them. The partition's watermark moves along, as a row at that time would have moved it.</remarks>
    public void ApplyWhileSilent(PartitionInput partition, long now)
    {
        if (partition.Labels is not { } labels)
        {
            return;
        }

        if (!partition.Share.IsIdle || partition.IsRebuilding || !partition.IsAtEnd || partition.Staged.Count > 0)
        {
            (labels.OthersReachedMs, labels.DueSince) = (long.MinValue, 0);
            return;
        }

        long reachedMs = context.Ledger.MinWatermarkMs;
        labels.OthersReachedMs = reachedMs == long.MaxValue ? labels.OthersReachedMs : Math.Max(labels.OthersReachedMs, reachedMs);
        if (labels.Count == 0 || labels.HeadReportedAtMs > labels.OthersReachedMs)
        {
            labels.DueSince = 0;
            return;
        }

        if (labels.DueSince == 0)
        {
            (labels.DueToMs, labels.DueSince) = (labels.OthersReachedMs, now);
        }

        if (context.Clock.GetElapsedTime(labels.DueSince, now) < SilenceMin)
        {
            return;
        }

        while (labels.Count > 0 && labels.HeadReportedAtMs <= labels.DueToMs)
        {
            partition.State.AdvanceWatermark(labels.HeadReportedAtMs);
            ApplyHead(partition, labels);
        }

        labels.DueSince = 0;
        shares.Publish(partition, now, isDue: true);
    }

    /// <summary>Ends the rebuilding of a partition whose rows from an offset on are answered.</summary>
    /// <returns>False while its former owner's contributions are not all known.</returns>
    public bool FinishRebuild(PartitionInput partition, long offset)
    {
        partitions.NoteInHand();
        pipeline.Compute(batch, partitions.States);
        bool mayLoseAnswers = partition is { State.RemembersAnswers: true, BatchOffset: >= 0 }; // What they are is kept before there is a transaction that could be taken back.
        if (mayLoseAnswers || !shares.KnowsFormerOwner(partition))
        {
            return false;
        }

        partition.IsRebuilding = false;
        if (context.IsExactlyOnce)
        {
            if (partition.Changelog is { HasMark: true })
            {
                // Its former owner had come so far when it committed. Without a mark what stands there may be of a run whose rows are answered again.
                partition.State.AdvanceWatermark(context.Ledger.FormerWatermarkMs(partition.Partition));
            }

            partition.Answer(partition.Refused.Count > 0 ? Math.Min(offset, partition.Refused.HeadOffset) : offset);
        }

        stateMetrics.Begin(partition);
        context.Metrics.RestoreRemaining.WithLabels(partition.Name).Set(0);
        LogMessages.Running(context.Logger, lane, partition.Partition, offset);
        return true;
    }

    /// <summary>Applies every label that was reported at or before the row's time, up to an offset, and says whether all such labels are known.</summary>
    /// <remarks>So a replay meets the labels where live traffic met them, however the two topics were read.</remarks>
    private bool LabelsAreApplied(PartitionInput partition, long timeMs, long offset, bool isHistory, long end)
    {
        if (partition.Labels is not { } labels)
        {
            return true;
        }

        while (labels.Count > 0 && labels.HeadReportedAtMs <= timeMs && labels.HeadOffset < end)
        {
            ApplyHead(partition, labels);
        }

        bool areKnown = labels.Count > 0 || labels.ReceivedOffset >= end || (isHistory ? labels.IsAtEnd && offset < labels.ConfirmedToOffset : labels.HasReachedEnd);
        IsWaitingForLabels |= !areKnown;
        return areKnown;
    }

    private void ApplyHead(PartitionInput partition, PartitionLabels labels)
    {
        partitions.NoteInHand();
        pipeline.Compute(batch, partitions.States);
        if (partition.Changelog is { } changelog && partition.State.WatermarkMs >= labels.HeadReportedAtMs)
        {
            changelog.MustMark = true; // Later than in a replay, which would have it before rows that are computed.
        }

        records.Labelled(pipeline.ApplyLabel(labels.HeadBatch, labels.HeadRow, partition.State));
        labels.RemoveHead();
        partition.Share.HasUndrained = true;
    }
}
