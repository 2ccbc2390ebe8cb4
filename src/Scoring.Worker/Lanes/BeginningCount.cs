using Scoring.Models.Features;

namespace Scoring.Worker.Lanes;

/// <summary>How often lanes have begun a partition with the same record and nobody has come beyond it: then the record may be what ends the process.</summary>
/// <remarks>
/// Before a partition's first record is processed the lane writes into the state topic that it is about to, and waits for that commit. From the second time
/// on it takes records one by one, each in a transaction of its own that names the next, so that it is known which one it was; the fourth time that one goes to
/// the dead letters. It survives what the process does not, and moves with the partition: the record would end the next owner, too. Who gives a partition up in peace takes its own beginning back.
/// </remarks>
internal sealed class BeginningCount
{
    /// <summary>Beginnings from which on records are taken one by one.</summary>
    private const int CarefulFrom = 2;

    /// <summary>Beginnings from which on the record is refused. A worker may be killed once or twice for other reasons in the moment between beginning and commit.</summary>
    private const int RefusedFrom = 4;

    private readonly long resume;
    private readonly long carefulUntil;
    private long writtenOffset = -1;
    private long keptOffset = -1;
    private Step step;

    /// <summary>A lane begins.</summary>
    /// <param name="found">What the state topic says of the last beginning; null where it says nothing.</param>
    /// <param name="resume">First offset to answer.</param>
    /// <param name="carefulRecords">How many records are taken one by one: more than were on their way when the process ended.</param>
    public BeginningCount(StateBeginning? found, long resume, int carefulRecords)
    {
        this.resume = resume;
        Count = found is { } last && last.Offset == resume ? last.Count + 1 : 1;
        carefulUntil = Count >= CarefulFrom ? resume + carefulRecords : resume;
        Suspect = Count >= RefusedFrom ? resume : -1;
    }

    private enum Step
    {
        /// <summary>No record has come.</summary>
        None,

        /// <summary>One waits for the next commit.</summary>
        Due,

        /// <summary>The open transaction says so.</summary>
        Written,

        /// <summary>It is committed.</summary>
        Begun,
    }

    /// <summary>Offset of the record that is not processed any more, or -1.</summary>
    public long Suspect { get; }

    /// <summary>This beginning's number at its offset, from 1.</summary>
    public int Count { get; }

    /// <summary>Whether a record waits for the commit.</summary>
    public bool IsDue => step == Step.Due;

    /// <summary>Whether a record may be processed; if not, the next commit says that it is about to be.</summary>
    public bool MayProcess()
    {
        step = step == Step.None ? Step.Due : step;
        return step == Step.Begun;
    }

    /// <summary>Whether records are taken one by one.</summary>
    /// <param name="position">First offset that is not processed.</param>
    public bool IsCareful(long position) => position < carefulUntil;

    /// <summary>Whether the state topic names a record that this lane has not got to, and gives up.</summary>
    /// <param name="position">First offset that is not processed.</param>
    public bool IsToBeTakenBack(long position) => keptOffset == position;

    /// <summary>What goes into the transaction that is about to be committed; null for nothing.</summary>
    /// <param name="position">First offset that it does not hold.</param>
    /// <param name="isLast">Whether the lane gives the partition up.</param>
    public StateBeginning? ToWrite(long position, bool isLast)
    {
        if (isLast)
        {
            return IsToBeTakenBack(position) ? Written(position, position == resume ? Count - 1 : 0) : null;
        }

        if (step == Step.Due)
        {
            step = Step.Written;
            return Written(position, position == resume ? Count : Math.Min(Count, CarefulFrom));
        }

        // One by one, the next record is named with each commit, as often begun as the first of them was.
        return step == Step.Begun && IsCareful(position) && position != keptOffset ? Written(position, CarefulFrom) : null;
    }

    /// <summary>The transaction is committed.</summary>
    public void Keep()
    {
        keptOffset = writtenOffset >= 0 ? writtenOffset : keptOffset;
        writtenOffset = -1;
        step = step == Step.Written ? Step.Begun : step;
    }

    /// <summary>The transaction is taken back.</summary>
    public void Discard()
    {
        writtenOffset = -1;
        step = step == Step.Written ? Step.Due : step;
    }

    private StateBeginning Written(long position, int count)
    {
        writtenOffset = position;
        return new StateBeginning(position, count);
    }
}
