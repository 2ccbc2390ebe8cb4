using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Brings a lane's input offsets to the group, never ahead of the output they stand for.</summary>
internal abstract class LaneCommits
{
    /// <summary>Goes one step on, between two batches.</summary>
    /// <param name="now">Timestamp of the cycle.</param>
    /// <param name="isBusy">Whether more input is waiting than a batch holds.</param>
    /// <param name="positions">Next offset to process, per input partition: asked only when due.</param>
    public abstract void Step(long now, bool isBusy, Func<IEnumerable<TopicPartitionOffset>> positions);

    /// <summary>Told before answers are produced.</summary>
    public virtual void BeforeAnswers()
    {
    }

    /// <summary>Told that the dead letter of a record says that it ends the process: the transaction with the dead letter says so to whoever makes the state of the input.</summary>
    public virtual void Excluded(PartitionInput partition, long offset)
    {
    }

    /// <summary>Who looks for a record whose answer is too large; null where nobody does.</summary>
    public virtual OversizeSearch? Oversize => null;

    /// <summary>Commits everything processed so far, within a bound.</summary>
    /// <returns>False when it is not committed.</returns>
    public abstract bool Finish(Func<IEnumerable<TopicPartitionOffset>> positions, TimeSpan bound);

    /// <summary>Forgets a partition that has been given up.</summary>
    public abstract void Forget(TopicPartition partition);

    /// <summary>Takes back what is not committed, after an error that the open transaction cannot survive or a loss of partitions.</summary>
    /// <param name="reason">For the log.</param>
    public abstract void TakeBack(string reason);
}
