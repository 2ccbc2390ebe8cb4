using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Finds the record whose answer the broker finds too large: the client does not say which it was, so transactions become smaller until it stands alone.</summary>
/// <remarks>
/// A transaction with such an answer is aborted however often it is done again. Half of its records are taken the next time, and half of those, until one that is alone is refused twice; after each
/// transaction that is committed the next may be twice as large. Meanwhile nothing is answered that the first refused transaction did not hold; when all of that is committed, the search is over. Marks of the
/// state are put off where they can be: a search without a find says that it was hardly an answer to one record. So does one record after the other: then the topic takes no answers at all.
/// </remarks>
/// <param name="topic">The topic of transactions.</param>
/// <param name="clock">Measures how long nothing was answered.</param>
internal sealed class OversizeSearch(string topic, TimeProvider clock)
{
    /// <summary>Most records found with no answer taken between them.</summary>
    private const int FoundMax = 4;

    /// <summary>Transactions committed, as large as ever, after which a search that has found nothing is forgotten: marks were among them.</summary>
    private const int ForgottenAfter = 1_000;

    /// <summary>Refusals of transactions that could not be made as small as they should be.</summary>
    private const int TooManyMax = 8;

    /// <summary>A row may wait for rows of other partitions, and these are not answered meanwhile.</summary>
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(30);

    private readonly HashSet<InputRecord> oversized = [];
    private readonly HashSet<InputRecord> bare = [];
    private readonly Dictionary<TopicPartition, long> until = [];
    private InputRecord last;
    private bool lastIsRefused;
    private InputRecord? refusedAlone;
    private int most = int.MaxValue;
    private int taken;
    private int answered;
    private int foundInARow;
    private bool isProven;
    private bool hasFound;
    private int nothingFoundFor;
    private int tooMany;
    private long attemptedAt;

    /// <summary>Whether one is looked for.</summary>
    public bool IsOn => most != int.MaxValue;

    /// <summary>The record that the last call of <see cref="Refused"/> found, or null.</summary>
    public TopicPartitionOffset? Found { get; private set; }

    /// <summary>Whether the open transaction answers as many records as it may.</summary>
    public bool IsFull => taken >= most;

    /// <summary>Whether the open transaction may answer this record, too.</summary>
    public bool MayTake(TopicPartition source, long offset) => !IsOn || (!IsFull && until.TryGetValue(source, out long end) && offset < end);

    /// <summary>Whether a record's answer was found to be too large: it gets a dead letter in its place.</summary>
    public bool IsOversized(TopicPartition source, long offset) => oversized.Count > 0 && oversized.Contains(new InputRecord(source.Topic, source.Partition.Value, offset));

    /// <summary>Whether a record's dead letter was found to be too large: it is written without the record's bytes.</summary>
    public bool IsBare(string source, int partition, long offset) => bare.Count > 0 && bare.Contains(new InputRecord(source, partition, offset));

    /// <summary>The open transaction answers one record more.</summary>
    /// <param name="source">The topic where it stands.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="isRefused">Whether it is refused for itself: its answer is a dead letter anyway.</param>
    public void Take(string source, int partition, long offset, bool isRefused)
    {
        taken++;
        (last, lastIsRefused) = (new InputRecord(source, partition, offset), isRefused);
        answered += isRefused || (oversized.Count > 0 && oversized.Contains(last)) ? 0 : 1;
    }

    /// <summary>The open transaction was taken back.</summary>
    public void Discard()
    {
        (taken, answered) = (0, 0);
        Found = null;
    }

    /// <summary>Gives a search up in which nothing is answered any more; where the record is still there, the next begins.</summary>
    public void GiveUpIfStuck()
    {
        if (IsOn && clock.GetElapsedTime(attemptedAt) > StuckAfter)
        {
            End();
        }
    }

    /// <summary>The open transaction was committed.</summary>
    public void Committed(IReadOnlyList<TopicPartitionOffset> positions)
    {
        bool hasTaken = taken > 0;
        isProven |= answered > 0;
        foundInARow = answered > 0 ? 0 : foundInARow;
        (taken, answered) = (0, 0);
        if (!IsOn)
        {
            nothingFoundFor = Math.Max(0, nothingFoundFor - 1);
            return;
        }

        foreach (var position in positions)
        {
            if (until.TryGetValue(position.TopicPartition, out long end) && position.Offset.Value >= end)
            {
                until.Remove(position.TopicPartition);
            }
        }

        if (hasTaken)
        {
            (refusedAlone, tooMany, attemptedAt) = (null, 0, clock.GetTimestamp());
            most = (int)Math.Min(most * 2L, int.MaxValue / 2);
        }

        if (until.Count == 0)
        {
            nothingFoundFor = hasFound ? 0 : ForgottenAfter;
            End();
        }
    }

    /// <summary>A partition is another's now, who looks for himself.</summary>
    public void Forget(TopicPartition partition)
    {
        if (until.Remove(partition) && until.Count == 0)
        {
            End();
        }
    }

    /// <summary>The broker has refused the open transaction for a record's size, not for the first time.</summary>
    /// <param name="positions">What it would have committed.</param>
    /// <returns>False where no record of the input can be the reason.</returns>
    public bool Refused(IReadOnlyList<TopicPartitionOffset> positions)
    {
        if (taken == 0 || (!IsOn && nothingFoundFor > 0))
        {
            return false;
        }

        attemptedAt = clock.GetTimestamp();
        if (IsOn && taken > most)
        {
            return ++tooMany < TooManyMax; // Dead letters of labels are not held back: where there are several they may not be told apart.
        }

        if (!IsOn)
        {
            hasFound = false;
            foreach (var position in positions)
            {
                if (string.Equals(position.Topic, topic, StringComparison.Ordinal))
                {
                    until[position.TopicPartition] = position.Offset.Value;
                }
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
        Found = new TopicPartitionOffset(last.Topic, last.Partition, last.Offset);
        return (!lastIsRefused && oversized.Add(last)) || bare.Add(last);
    }

    private void End()
    {
        (most, refusedAlone, tooMany) = (int.MaxValue, null, 0);
        until.Clear();
        oversized.Clear();
        bare.Clear();
    }

    /// <summary>Where a record of the input stands: <see cref="TopicPartitionOffset"/> would be an object for each.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct InputRecord(string Topic, int Partition, long Offset);
}
