using Confluent.Kafka;
using Scoring.Models.Features;

namespace Scoring.Worker.Lanes;

/// <summary>The partitions that a lane owns now: found by number, or one after the other.</summary>
internal sealed class OwnedPartitions(LaneContext context) : IDisposable
{
    private readonly List<(int Number, long Offset)> earlyEnds = [];

    /// <summary>Every partition of the input by its number; null where it is not the lane's.</summary>
    public PartitionInput?[] ByNumber { get; } = new PartitionInput?[context.PartitionCount];

    /// <summary>Their state, by the same numbers.</summary>
    public PartitionState?[] States { get; } = new PartitionState?[context.PartitionCount];

    /// <summary>The lane's own, in the order they came.</summary>
    public List<PartitionInput> All { get; } = [];

    /// <summary>Whether decoded rows wait anywhere.</summary>
    public bool HaveStaged
    {
        get
        {
            foreach (var partition in All)
            {
                if (partition.Staged.Count > 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The lane's partition of a number, or null; also for a number that the topic did not have when the worker started.</summary>
    public PartitionInput? Find(int number) => number < ByNumber.Length ? ByNumber[number] : null;

    /// <summary>Takes a partition over.</summary>
    public void Add(PartitionInput partition)
    {
        ByNumber[partition.Partition] = partition;
        States[partition.Partition] = partition.State;
        All.Add(partition);
    }

    /// <summary>Begins to read a partition: see <see cref="PartitionInput.Begin"/>.</summary>
    public void Begin(PartitionInput partition, PartitionState state, long start, long resume)
    {
        if (!ReferenceEquals(state, partition.State))
        {
            partition.State.Dispose();
        }

        partition.Begin(state, start, resume, waits: partition.Start.WaitsForOthers || context.HasChangelog);
        States[partition.Partition] = state;
    }

    /// <summary>Lets a partition go, and its memory with it.</summary>
    public void Remove(PartitionInput partition)
    {
        ByNumber[partition.Partition] = null;
        States[partition.Partition] = null;
        All.Remove(partition);
        partition.PutDown(isAnswered: false);
        partition.Staged.Clear();
        partition.State.Dispose();
    }

    /// <summary>Notes that a reader stands at the end of a partition.</summary>
    public void ReachedEnd(int number, long offset)
    {
        if (Find(number) is { IsRestoring: true })
        {
            return; // It is read from elsewhere when it begins, and ends once more.
        }

        if (Find(number) is { } partition)
        {
            partition.ReceivedOffset = Math.Max(partition.ReceivedOffset, offset);
            partition.IsAtEnd = true;
            partition.AtEndSince = context.Clock.GetTimestamp();
        }
        else
        {
            earlyEnds.Add((number, offset)); // The call that brought the assignment may bring the end of an empty partition too.
        }
    }

    /// <summary>Notes the ends that were reached before their partition was taken over.</summary>
    public void TakeEarlyEnds()
    {
        // Only where nothing is to be read: a partition that is read again from its beginning ends once more.
        foreach (var (number, offset) in earlyEnds)
        {
            if (Find(number) is { } partition && offset <= partition.ReceivedOffset)
            {
                ReachedEnd(number, offset);
            }
        }

        earlyEnds.Clear();
    }

    /// <summary>Notes what is in hand, before it is computed.</summary>
    public void NoteInHand()
    {
        foreach (var partition in All)
        {
            partition.NoteInHand();
        }
    }

    /// <summary>Has nothing in hand any more, for a reason that lies in none of it.</summary>
    public void PutDown() => All.ForEach(partition => partition.PutDown(isAnswered: false));

    /// <summary>Says that the group takes partitions away.</summary>
    public void Leaving(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var gone in partitions)
        {
            if (Find(gone.Partition.Value) is { } partition)
            {
                partition.Share.IsLeaving = true;
            }
        }
    }

    /// <summary>Says that partitions are not the lane's any more.</summary>
    public void Lost(IReadOnlyList<TopicPartition> partitions)
    {
        Leaving(partitions);
        foreach (var gone in partitions)
        {
            if (Find(gone.Partition.Value) is { } partition)
            {
                partition.Crashes?.Clear(isAnswered: false); // Its next owner notes there, which may be a lane of this process.
                partition.IsLost = true;
            }
        }
    }

    /// <summary>The offsets to commit: of transactions, and of the labels beside them.</summary>
    public IEnumerable<TopicPartitionOffset> Positions()
    {
        foreach (var partition in All)
        {
            if (partition.IsLost)
            {
                continue;
            }

            if (partition.Position >= partition.ResumeOffset)
            {
                yield return new TopicPartitionOffset(partition.Source, partition.Position);
            }

            if (partition.Labels is { } labels)
            {
                // Each time, moved or not: the broker forgets offsets of a topic that nobody is subscribed to (offsets.retention.minutes), and keeps those of transactions.
                yield return new TopicPartitionOffset(context.Topics.Labels, partition.Partition, labels.AnsweredOffset);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var partition in All)
        {
            partition.State.Dispose();
        }
    }
}
