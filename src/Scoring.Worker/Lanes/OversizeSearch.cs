using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Finds the record whose answer the broker finds too large: the client does not say which it was, so transactions become smaller until it stands alone.</summary>
/// <remarks>
/// A transaction with such an answer is aborted however often it is done again. Half of its records are taken the next time, and half of those, until one that is alone is refused twice; after each
/// transaction that is committed the next may be twice as large. The search ends when everything is committed that the first refused one held. Nothing but the answers is written meanwhile: where it
/// comes to its end without a find, what was too large is no answer to one record. Nor is it where one record after the other is found: then the topic takes no answers at all.
/// </remarks>
internal sealed class OversizeSearch
{
    /// <summary>Most records found with no answer taken between them.</summary>
    private const int FoundMax = 4;

    private readonly HashSet<(string Topic, int Partition, long Offset)> oversized = [];
    private readonly HashSet<(string Topic, int Partition, long Offset)> bare = [];
    private readonly Dictionary<TopicPartition, long> until = [];
    private InputRecord last;
    private InputRecord? refusedAlone;
    private int most = int.MaxValue;
    private int taken;
    private int answered;
    private int foundInARow;
    private bool isProven;
    private bool hasFound;
    private bool hasFoundNone;

    /// <summary>Whether one is looked for.</summary>
    public bool IsOn => most != int.MaxValue;

    /// <summary>Offset of the record that the last call of <see cref="Refused"/> found, or null.</summary>
    public long? FoundOffset { get; private set; }

    /// <summary>Where it stands.</summary>
    public TopicPartition FoundIn => new(last.Topic, last.Partition);

    /// <summary>Whether the open transaction answers as many records as it may.</summary>
    public bool IsFull => taken >= most;

    /// <summary>Whether the open transaction may answer a record more: not one behind a refused one whose dead letter has to wait, or it would be answered before the position that is committed.</summary>
    public bool MayTake(PartitionInput partition, long offset) => !IsOn || (!IsFull && (partition.Refused.Count == 0 || partition.Refused.HeadOffset > offset));

    /// <summary>Whether a record's answer was found to be too large: it gets a dead letter in its place.</summary>
    public bool IsOversized(TopicPartition source, long offset) => oversized.Count > 0 && oversized.Contains((source.Topic, source.Partition.Value, offset));

    /// <summary>Whether a record's dead letter was found to be too large: it is written without the record's bytes.</summary>
    public bool IsBare(string topic, int partition, long offset) => bare.Count > 0 && bare.Contains((topic, partition, offset));

    /// <summary>The open transaction answers one record more.</summary>
    /// <param name="topic">Where it stands.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="isRefused">Whether it is refused for itself: its answer is a dead letter anyway.</param>
    public void Take(string topic, int partition, long offset, bool isRefused)
    {
        taken++;
        answered += isRefused || (oversized.Count > 0 && oversized.Contains((topic, partition, offset))) ? 0 : 1;
        last = new InputRecord(topic, partition, offset, isRefused);
    }

    /// <summary>The open transaction was taken back.</summary>
    public void TakenBack()
    {
        (taken, answered) = (0, 0);
        FoundOffset = null;
    }

    /// <summary>The open transaction was committed.</summary>
    public void Committed(IReadOnlyList<TopicPartitionOffset> positions)
    {
        isProven |= answered > 0;
        foundInARow = answered > 0 ? 0 : foundInARow;
        (taken, answered) = (0, 0);
        if (!IsOn)
        {
            return;
        }

        refusedAlone = null;
        most = (int)Math.Min(most * 2L, int.MaxValue / 2);
        foreach (var position in positions)
        {
            if (until.TryGetValue(position.TopicPartition, out long end) && position.Offset.Value >= end)
            {
                until.Remove(position.TopicPartition);
            }
        }

        EndIfThrough();
    }

    /// <summary>A partition is another's now, who looks for himself.</summary>
    public void Forget(TopicPartition partition)
    {
        if (until.Remove(partition))
        {
            EndIfThrough();
        }
    }

    /// <summary>The broker has refused the open transaction for a record's size, not for the first time.</summary>
    /// <param name="positions">What it would have committed.</param>
    /// <returns>False where no record of the input can be the reason.</returns>
    public bool Refused(IReadOnlyList<TopicPartitionOffset> positions)
    {
        if (taken == 0 || (IsOn ? taken > most : hasFoundNone))
        {
            return false; // Dead letters of labels are not held back: where there are several they cannot be told apart.
        }

        if (!IsOn)
        {
            hasFound = false;
            foreach (var position in positions)
            {
                until[position.TopicPartition] = position.Offset.Value;
            }
        }

        most = Math.Max(1, taken / 2);
        if (taken > 1)
        {
            return true;
        }

        if (refusedAlone != last)
        {
            refusedAlone = last;
            return true;
        }

        refusedAlone = null;
        if (answered > 0 && (++foundInARow > FoundMax || (last.Offset == 0 && !isProven)))
        {
            return false; // Nothing was ever committed of its partition, or nobody's answers are taken.
        }

        hasFound = true;
        FoundOffset = last.Offset;
        var found = (last.Topic, last.Partition, last.Offset);
        return (!last.IsRefused && oversized.Add(found)) || bare.Add(found);
    }

    private void EndIfThrough()
    {
        if (until.Count == 0)
        {
            most = int.MaxValue;
            hasFoundNone = !hasFound;
            oversized.Clear();
            bare.Clear();
        }
    }

    /// <summary>A record of the input, answered as it was.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct InputRecord(string Topic, int Partition, long Offset, bool IsRefused);
}
