namespace Scoring.Worker.Lanes;

/// <summary>The record of a partition that was received last. A reader that its client sent elsewhere may go on behind it only while it still stands there.</summary>
/// <remarks>
/// A client that asks for more than there is (OFFSET_OUT_OF_RANGE) is sent to the first retained record, and to where logs part where a new leader has not all that the last one had. A broker that has just started may tell of an
/// end that is lower than it was, and then all is still there; or the topic was made anew, or records that were acknowledged are lost, and others have their offsets. Offset and leader epoch name a record of a log
/// (KIP-101), and a topic made anew has not the same one at the same millisecond.
/// </remarks>
internal sealed class LastRecord
{
    /// <summary>An end that is told where the last record should stand comes twenty times a second: five seconds.</summary>
    private const int LooksMax = 100;

    private int epoch = -1;
    private long timestampMs;
    private int looks;

    /// <summary>Its offset; -1 where none has come.</summary>
    public long Offset { get; private set; } = -1;

    /// <summary>Where reading goes on: behind it, or before it where the lane has gone back.</summary>
    public long Position { get; private set; } = -1;

    /// <summary>Whether the reader was set to it, to see whether it is the same: until then nothing else is taken.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Whether it is looked for the first time since the reader was where it should be.</summary>
    public bool IsFirstLook => looks == 1;

    /// <summary>Reading begins at an offset: no record is known.</summary>
    public void Begin(long offset) => (Position, Offset, epoch, looks, IsInDoubt) = (offset, -1, -1, 0, false);

    /// <summary>The lane reads again from an offset; the record is still known, and so is any doubt.</summary>
    public void GoBack(long offset) => Position = offset;

    /// <summary>A record is taken.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="leaderEpoch">Of its batch; null where the broker tells none.</param>
    /// <param name="timestampMs">Its timestamp, ms since 1970 UTC.</param>
    public void Is(long offset, int? leaderEpoch, long timestampMs)
    {
        (Offset, Position, epoch, looks, IsInDoubt) = (offset, offset + 1, leaderEpoch ?? -1, 0, false);
        this.timestampMs = timestampMs;
    }

    /// <summary>What a record that has come tells of where the reader is.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="leaderEpoch">Of its batch; null where the broker tells none.</param>
    /// <param name="timestampMs">Its timestamp, ms since 1970 UTC.</param>
    /// <param name="readFrom">Where the reader is to be set, unless the record is the next or the last one is gone.</param>
    public Place Look(long offset, int? leaderEpoch, long timestampMs, out long readFrom)
    {
        readFrom = Position;
        if (offset >= Position && (!IsInDoubt || Offset < 0))
        {
            IsInDoubt = false;
            return Place.Next;
        }

        if (looks >= LooksMax || (Offset >= 0 && epoch < 0))
        {
            return Place.Gone;
        }

        looks++;
        IsInDoubt = true;
        if (Offset < 0 || offset != Offset)
        {
            readFrom = Offset < 0 ? Position : Offset;
            return Place.Sought;
        }

        IsInDoubt = false;
        return leaderEpoch == epoch && timestampMs == this.timestampMs ? Place.Found : Place.Gone;
    }

    /// <summary>What an end of the log tells of where the reader is. One that is told before the position, without doubt, is of a log that has nothing from its start on: it is an end.</summary>
    /// <param name="end">Where it is.</param>
    /// <param name="readFrom">Where the reader is to be set; only where the last record is sought.</param>
    public Place LookAtEnd(long end, out long readFrom)
    {
        readFrom = Offset;
        if (!IsInDoubt || Offset < 0)
        {
            IsInDoubt = false;
            looks = end >= Position ? 0 : looks;
            return Place.Next;
        }

        // The log ends where the last record should stand.
        return looks++ < LooksMax ? Place.Sought : Place.Gone;
    }

    /// <summary>Where a reader is.</summary>
    internal enum Place
    {
        /// <summary>Where it should be: the record, or the end, is to be taken.</summary>
        Next,

        /// <summary>It was sent elsewhere, and is to be set to the last record, or to where it began where none has come.</summary>
        Sought,

        /// <summary>The last record stands where it stood, and so does all before it: the reader is to be set behind it.</summary>
        Found,

        /// <summary>Another stands there, or nobody can tell.</summary>
        Gone,
    }
}
