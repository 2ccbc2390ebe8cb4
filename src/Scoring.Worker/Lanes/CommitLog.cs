using System.Runtime.ExceptionServices;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>At least once: commits input offsets behind acknowledged output, without holding the lane up for the acknowledgement.</summary>
/// <remarks>
/// Every interval: 1. note the positions and close the interval of the output, 2. go on scoring, 3. when the broker has
/// acknowledged all of the closed interval, commit the noted positions. Never the other way round. The commit itself runs in
/// the background: a coordinator that does not answer must not keep the lane from polling, or from ending.
/// </remarks>
internal sealed class CommitLog : LaneCommits
{
    private readonly AcknowledgedOutput output;
    private readonly Func<IReadOnlyList<TopicPartitionOffset>, Task> commit;
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly int lane;
    private readonly List<TopicPartitionOffset> noted = [];
    private readonly Dictionary<TopicPartition, long> committed = [];
    private Task? underway;
    private bool hasNoted;
    private bool hasFailed;
    private long lastNoted;

    /// <summary>Starts with nothing noted.</summary>
    /// <param name="output">Whose acknowledgements count.</param>
    /// <param name="commit">Begins to commit to the group; the task fails with a <see cref="KafkaException"/>.</param>
    /// <param name="clock">Measures the interval.</param>
    /// <param name="interval">Time between notes.</param>
    /// <param name="lane">For the log.</param>
    /// <param name="metrics">Counts failures.</param>
    /// <param name="logger">Says them.</param>
    public CommitLog(AcknowledgedOutput output, Func<IReadOnlyList<TopicPartitionOffset>, Task> commit, TimeProvider clock, TimeSpan interval, int lane, WorkerMetrics metrics, ILogger logger)
    {
        this.output = output;
        this.commit = commit;
        this.clock = clock;
        this.interval = interval;
        this.lane = lane;
        this.metrics = metrics;
        this.logger = logger;
        lastNoted = clock.GetTimestamp();
    }

    /// <summary>Goes one step on: commits what is acknowledged, notes what is due.</summary>
    /// <inheritdoc/>
    public override void Step(long now, bool isBusy, Func<IEnumerable<TopicPartitionOffset>> positions)
    {
        if (underway is not null)
        {
            if (!underway.IsCompleted)
            {
                return;
            }

            TakeResult();
        }

        if (hasNoted)
        {
            if (output.ClosedIsAcknowledged)
            {
                Begin();
            }
        }
        else if (clock.GetElapsedTime(lastNoted, now) >= interval)
        {
            Note(now, positions());
        }
    }

    /// <summary>Waits for all acknowledgements and commits the positions, in all within a bound.</summary>
    /// <returns>False when the output was not acknowledged in time, or the positions are not committed.</returns>
    public override bool Finish(Func<IEnumerable<TopicPartitionOffset>> positions, TimeSpan bound)
    {
        long started = clock.GetTimestamp();
        if (!output.Flush(bound) || !HasEnded(Remaining()))
        {
            metrics.CommitFailures.Inc();
            return false;
        }

        Note(clock.GetTimestamp(), positions());
        if (!hasNoted)
        {
            return true;
        }

        Begin();
        return HasEnded(Remaining()) && !hasFailed;

        TimeSpan Remaining() => bound - clock.GetElapsedTime(started) is { Ticks: > 0 } left ? left : TimeSpan.Zero;
    }

    /// <summary>Forgets a partition that has been given up.</summary>
    public override void Forget(TopicPartition partition)
    {
        committed.Remove(partition);
        noted.RemoveAll(offset => offset.TopicPartition.Equals(partition));
    }

    /// <summary>Nothing: what is published stays published, and is repeated where its offsets are not committed.</summary>
    public override void TakeBack(string reason)
    {
    }

    private void Note(long now, IEnumerable<TopicPartitionOffset> positions)
    {
        lastNoted = now;
        hasNoted = false;
        noted.Clear();
        foreach (var position in positions)
        {
            if (committed.GetValueOrDefault(position.TopicPartition, -1) != position.Offset.Value)
            {
                noted.Add(position);
            }
        }

        if (noted.Count > 0)
        {
            output.Close();
            hasNoted = true;
        }
    }

    private void Begin()
    {
        hasNoted = false;
        if (noted.Count > 0)
        {
            underway = commit([.. noted]);
        }
    }

    private bool HasEnded(TimeSpan bound)
    {
        if (underway is not null)
        {
            if (Task.WaitAny([underway], bound) < 0)
            {
                return false;
            }

            TakeResult();
        }

        return true;
    }

    private void TakeResult()
    {
        var ended = underway!;
        underway = null;
        hasFailed = !ended.IsCompletedSuccessfully;
        if (!hasFailed)
        {
            foreach (var offset in noted)
            {
                committed[offset.TopicPartition] = offset.Offset.Value;
            }

            return;
        }

        var failure = ended.Exception!.InnerException!;
        if (failure is not KafkaException { Error.IsFatal: false } failed)
        {
            ExceptionDispatchInfo.Throw(failure);
            return;
        }

        // The next interval commits again; after a rebalance the partitions are no longer ours and the new owner repeats.
        metrics.CommitFailures.Inc();
        LogMessages.CommitFailed(logger, lane, failed.Error.Code.ToString(), failed.Error.Reason);
    }
}
