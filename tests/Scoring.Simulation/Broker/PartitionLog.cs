using Confluent.Kafka;

namespace Scoring.Simulation.Broker;

/// <summary>One partition: its records by offset, its open transactions, and what it remembers of producers.</summary>
internal sealed class PartitionLog(TopicPartition name)
{
    private readonly List<LogRecord> records = [];
    private readonly Dictionary<long, LogTransaction> open = [];
    private readonly Dictionary<long, (short Epoch, int NextSequence)> producers = [];

    /// <summary>Topic and number.</summary>
    public TopicPartition Name { get; } = name;

    /// <summary>First offset that is retained.</summary>
    public long Start { get; private set; }

    /// <summary>Offset of the next record: the high watermark, since nothing is ever lost.</summary>
    public long End => records.Count;

    /// <summary>First offset of a transaction that is not decided: readers of committed records get no further.</summary>
    public long StableEnd
    {
        get
        {
            long stable = End;
            foreach (var transaction in open.Values)
            {
                stable = Math.Min(stable, transaction.FirstOffset);
            }

            return stable;
        }
    }

    /// <summary>Called when more can be read; in the order in which they were added.</summary>
    public List<Action> Grown { get; } = [];

    /// <summary>The record of an offset.</summary>
    public LogRecord this[long offset] => records[(int)offset];

    /// <summary>Whether a producer has a transaction open here.</summary>
    public bool HasOpen(long producerId) => open.ContainsKey(producerId);

    /// <summary>Appends what no transaction holds.</summary>
    public void Append(LogRecord record)
    {
        records.Add(record);
        Tell();
    }

    /// <summary>Appends a producer's batch.</summary>
    /// <param name="producerId">Of the producer.</param>
    /// <param name="epoch">Of the producer.</param>
    /// <param name="sequence">Number of the first record.</param>
    /// <param name="batch">The records.</param>
    public ErrorCode Append(long producerId, short epoch, int sequence, IReadOnlyList<LogRecord> batch)
    {
        var known = producers.GetValueOrDefault(producerId, (Epoch: epoch, NextSequence: 0));
        if (epoch < known.Epoch)
        {
            return ErrorCode.InvalidProducerEpoch;
        }

        if (epoch > known.Epoch)
        {
            known = (epoch, 0);
        }

        if (sequence + batch.Count <= known.NextSequence)
        {
            return ErrorCode.NoError; // It was here before: the answer was lost.
        }

        if (sequence != known.NextSequence)
        {
            return ErrorCode.OutOfOrderSequenceNumber;
        }

        if (!open.TryGetValue(producerId, out var transaction))
        {
            transaction = new LogTransaction(End);
            open.Add(producerId, transaction);
        }

        foreach (var record in batch)
        {
            record.Transaction = transaction;
            records.Add(record);
        }

        producers[producerId] = (epoch, sequence + batch.Count);
        Tell();
        return ErrorCode.NoError;
    }

    /// <summary>Whether a producer of this epoch may write here.</summary>
    public bool Admits(long producerId, short epoch) => epoch >= producers.GetValueOrDefault(producerId).Epoch;

    /// <summary>Writes the marker that ends a producer's transaction.</summary>
    public void Mark(long producerId, short epoch, bool isCommit)
    {
        var known = producers.GetValueOrDefault(producerId);
        producers[producerId] = (Math.Max(epoch, known.Epoch), epoch > known.Epoch ? 0 : known.NextSequence);
        if (open.Remove(producerId, out var transaction))
        {
            (transaction.IsDecided, transaction.IsCommitted) = (true, isCommit);
        }

        records.Add(LogRecord.Marker);
        Tell();
    }

    /// <summary>Removes what stands before an offset.</summary>
    public void RemoveBefore(long offset) => Start = Math.Clamp(offset, Start, StableEnd);

    /// <summary>What readers of committed records are given, by offset.</summary>
    public IEnumerable<(long Offset, LogRecord Record)> Committed()
    {
        long end = StableEnd;
        for (long offset = Start; offset < end; offset++)
        {
            if (IsGiven(offset, committedOnly: true))
            {
                yield return (offset, this[offset]);
            }
        }
    }

    private void Tell()
    {
        for (int i = Grown.Count - 1; i >= 0; i--)
        {
            Grown[i](); // May remove itself.
        }
    }

    /// <summary>Whether a reader is given the record of an offset.</summary>
    public bool IsGiven(long offset, bool committedOnly)
    {
        var record = this[offset];
        return !ReferenceEquals(record, LogRecord.Marker) && (!committedOnly || record.Transaction is null or { IsDecided: true, IsCommitted: true });
    }
}
