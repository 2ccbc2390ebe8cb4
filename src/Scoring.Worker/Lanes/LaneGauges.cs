using System.Globalization;
using Confluent.Kafka;
using Prometheus;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>What a lane shows of itself once a second: what it has in flight, and how far each of its partitions is.</summary>
internal sealed class LaneGauges(LaneContext context, int lane, OwnedPartitions partitions, TransactionInput input, LaneOutput output, LaneShares shares, StateMetrics stateMetrics)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Gauge.Child inFlight = context.Metrics.InFlight.WithLabels(lane.ToString(CultureInfo.InvariantCulture));
    private readonly Gauge.Child behind = context.Metrics.AggregatesBehind.WithLabels(lane.ToString(CultureInfo.InvariantCulture));
    private long shownAt;

    /// <summary>Shows it, when a second is over.</summary>
    public void Step(long now)
    {
        if (context.Clock.GetElapsedTime(shownAt, now) < Interval)
        {
            return;
        }

        shownAt = now;
        inFlight.Set(output.InFlight);
        behind.Set(shares.LongestBehindMs == long.MaxValue ? double.PositiveInfinity : shares.LongestBehindMs / 1_000.0);
        shares.LongestBehindMs = 0;
        stateMetrics.TellUnknownMembers(input.UnknownMembers);
        foreach (var partition in partitions.All)
        {
            stateMetrics.Tell(partition);
            Show(partition);
        }
    }

    private void Show(PartitionInput partition)
    {
        var end = input.KnownEnd(partition.Source);
        if (end != Offset.Unset && !partition.IsRestoring)
        {
            context.Metrics.Lag.WithLabels(context.Topics.Transactions, partition.Name).Set(Math.Max(0, end.Value - partition.Position));
        }

        if (partition.State.WatermarkMs != long.MinValue)
        {
            context.Metrics.LastEventTime.WithLabels(context.Topics.Transactions, partition.Name).Set(partition.State.WatermarkMs / 1_000.0);
        }

        context.Metrics.StateEntries.WithLabels(partition.Name).Set(Enumerable.Range(0, context.Service.Plan.EntityNames.Count).Sum(partition.State.KeyCount));
        if (partition is { IsRebuilding: true, IsRestoring: false })
        {
            context.Metrics.RestoreRemaining.WithLabels(partition.Name).Set(Math.Max(0, partition.ResumeOffset - partition.Position));
            LogMessages.Rebuilding(context.Logger, lane, partition.Partition, partition.Position, partition.ResumeOffset);
        }
    }
}
