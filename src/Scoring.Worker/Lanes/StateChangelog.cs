using System.Text;
using Confluent.Kafka;
using Scoring.Models.Features;

namespace Scoring.Worker.Lanes;

/// <summary>Writes partitions' state into the transaction that is about to be committed.</summary>
/// <remarks>
/// With every commit how far each partition is. From time to time what has changed since the last time, and a mark: the records are the
/// state of this point of the input. What comes behind a mark is computed again by whoever restores, so nothing need be written for it;
/// but the answers that are to be given again, which go with the commit that gave them.
/// <para>A mark holds its commit up for as long as its records take, and readers of scores see that. So where a lane has time and transactions are small marks are too, and one partition's turn
/// comes after the other's (docs/decisions/0026). Under load they are as rare as they may be, since a key that changes twice between two marks is written once.</para>
/// </remarks>
internal sealed class StateChangelog
{
    /// <summary>Changed records after which a mark comes before its interval, busy or not, one partition's after the other's: what one transaction takes without holding the lane up. With twice as many it waits for nobody.</summary>
    private const int ChangesMax = 20_000;

    /// <summary>Changed records after which one may come where the lane has time, and after which the next partition's waits for the next commit: some 1 ms of a broker's time.</summary>
    private const int ChangesWorthMark = 500;

    /// <summary>Changed records after which the next partition's waits otherwise: some 5 ms of a broker's time. With less, many partitions would not have their turn before twice the interval.</summary>
    private const int ChangesOfTurn = 2_000;

    /// <summary>Records of a small transaction: so many come in 25 ms at 40,000 events/s.</summary>
    private const int SmallTransaction = 1_000;

    private readonly LaneContext context;
    private readonly LaneOutput output;
    private readonly OwnedPartitions partitions;
    private readonly TimeSpan interval;
    private readonly StateWriter write;
    private readonly byte[] group;
    private TopicPartition target = new("", 0);
    private ChangelogProgress? told;
    private int turn;

    /// <summary>Prepares to write.</summary>
    public StateChangelog(LaneContext context, LaneOutput output, OwnedPartitions partitions)
    {
        this.context = context;
        this.output = output;
        this.partitions = partitions;
        interval = TimeSpan.FromMilliseconds(context.Lanes.StateIntervalMs);
        write = Write;
        group = Encoding.UTF8.GetBytes(context.Clients.Group);
    }

    /// <summary>Whether state has changed since the last mark, or there is none.</summary>
    public bool HasToTell => partitions.All.Exists(partition => partition is { IsAnswering: true, IsLost: false, Changelog: { } progress } && (!progress.HasMark || partition.State.ChangesPending > 0));

    /// <summary>Writes where the partitions are, early in a transaction: so that their changelogs have joined it when the commit comes, which would wait for that.</summary>
    public void Join()
    {
        foreach (var partition in partitions.All)
        {
            if (partition is { IsAnswering: true, IsLost: false, Changelog: { } progress })
            {
                WritePosition(partition, progress);
            }
        }
    }

    /// <summary>Writes what belongs to a commit of these positions.</summary>
    /// <param name="now">Timestamp of the cycle.</param>
    /// <param name="isLast">Whether the partitions go afterwards: whoever takes them over then has nothing to compute again.</param>
    /// <param name="timing">Which marks come.</param>
    public void WriteFor(long now, bool isLast, MarkTiming timing)
    {
        bool comesEarly = timing == MarkTiming.Early && output.InFlight < SmallTransaction;
        long room = comesEarly ? ChangesWorthMark : ChangesOfTurn;
        int first = turn;
        for (int i = 0; i < partitions.All.Count; i++)
        {
            int at = (first + i) % partitions.All.Count;
            if (partitions.All[at] is not { IsAnswering: true, IsLost: false, Changelog: { } progress } partition)
            {
                continue;
            }

            WritePosition(partition, progress);
            var state = partition.State;
            if (progress.HasMark)
            {
                state.WriteAnswers(write); // Until then they go with the rest of the state, bit by bit.
            }
            else
            {
                state.WriteSources(context.Sources, write);
            }

            if (timing == MarkTiming.OnlyNeeded && progress is { HasMark: true, MustMark: false } && !isLast)
            {
                continue;
            }

            long changes = state.ChangesPending;
            var age = context.Clock.GetElapsedTime(progress.MarkedAt, now);
            if (progress.MustMark || !progress.HasMark || isLast || changes >= 2 * ChangesMax || age >= 2 * interval)
            {
                WriteMark(partition, progress, now);
            }
            else if (room > 0 && (age >= interval || changes >= ChangesMax || (comesEarly && changes >= ChangesWorthMark)))
            {
                room -= changes;
                turn = at + 1;
                WriteMark(partition, progress, now);
            }
        }
    }

    /// <summary>Writes that a record is no part of the state.</summary>
    public void Exclude(PartitionInput partition, long offset)
    {
        if (partition.Changelog is { } progress)
        {
            (target, told) = (new TopicPartition(context.Topics.State, partition.Partition), progress);
            partition.State.WriteExcluded(offset, write);
        }
    }

    private void WritePosition(PartitionInput partition, ChangelogProgress progress)
    {
        (target, told) = (new TopicPartition(context.Topics.State, partition.Partition), progress);
        partition.State.WritePosition(MarkOf(partition) with { LabelOffset = partition.Labels?.AnsweredOffset ?? 0 }, group, write);
    }

    private void WriteMark(PartitionInput partition, ChangelogProgress progress, long now)
    {
        // The first time all of it is written, bit by bit: until then the records stand for nothing.
        var state = partition.State;
        bool isLarge = !progress.HasMark && state.ChangesPending > ChangesMax;
        if (isLarge && !progress.IsDoubted)
        {
            state.WriteMark(default, write);
            progress.Doubted();
        }

        if (!progress.HasMark)
        {
            foreach (long offset in partition.Excluded)
            {
                if (offset < partition.Position)
                {
                    state.WriteExcluded(offset, write); // The topic may have been emptied of it, for another definition.
                }
            }
        }

        if (state.WriteChanges(isLarge ? ChangesMax : int.MaxValue, write))
        {
            state.WriteSources(context.Sources, write);
            state.WriteMark(MarkOf(partition), write);
            progress.Marked(now);
        }
    }

    private StateMark MarkOf(PartitionInput partition) => new(partition.Position, partition.Labels?.Position ?? 0, context.PartitionCount);

    private void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        output.Produce(target, key, value, hasValue: !value.IsEmpty);
        told!.Records++;
        context.Metrics.StateRecordsWritten.Inc();
    }
}
