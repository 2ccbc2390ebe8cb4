namespace Scoring.Worker.Lanes;

/// <summary>The record of a partition that was received last. A reader that its client sent elsewhere may go on behind it only while it still stands there.</summary>
/// <remarks>
/// A client that asks for more than there is (OFFSET_OUT_OF_RANGE) is sent to the first retained record, and to where logs part where a new leader has not all that the last one had. A broker that has just started may tell of an
/// end that is lower than it was, and then all is still there; or the topic was made anew, or records that were acknowledged are lost, and others have their offsets. Offset and leader epoch name a record of a log
/// (KIP-101), and a topic made anew has not the same one at the same millisecond.
/// </remarks>
internal sealed class LastRecord
{
    private const int LooksMax = 10;

    private int epoch = -1;
    private long timestampMs;
    private int looks;

    /// <summary>Its offset; -1 where none has come.</summary>
    public long Offset { get; private set; } = -1;

    /// <summary>Where reading goes on: behind it, or before it where the lane has gone back.</summary>
    public long Position { get; private set; } = -1;

    /// <summary>Whether the reader was set to it, to see whether it is the same: until then nothing else is taken.</summary>
    public bool IsInDoubt => looks > 0;

    /// <summary>Reading begins at an offset: no record is known.</summary>
    public void Begin(long offset) => (Position, Offset, epoch, looks) = (offset, -1, -1, 0);

    /// <summary>The lane reads again from an offset; the record is still known, and so is any doubt.</summary>
    public void GoBack(long offset) => Position = offset;

    /// <summary>A record came.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="leaderEpoch">Of its batch; null where the broker tells none.</param>
    /// <param name="timestampMs">Its timestamp, ms since 1970 UTC.</param>
    public void Is(long offset, int? leaderEpoch, long timestampMs)
    {
        (Offset, Position, epoch) = (offset, offset + 1, leaderEpoch ?? -1);
        this.timestampMs = timestampMs;
    }

    /// <summary>What a record tells that came from before the position, or while there is doubt.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="leaderEpoch">Of its batch; null where the broker tells none.</param>
    /// <param name="timestampMs">Its timestamp, ms since 1970 UTC.</param>
    public Place Look(long offset, int? leaderEpoch, long timestampMs)
    {
        if (epoch >= 0 && offset == Offset)
        {
            looks = 0;
            return leaderEpoch == epoch && timestampMs == this.timestampMs ? Place.Same : Place.Other;
        }

        if (epoch < 0 || offset > Offset || looks == LooksMax)
        {
            return Place.Other;
        }

        looks++;
        return Place.Unknown;
    }

    /// <summary>Whether the last record stands where it stood.</summary>
    internal enum Place
    {
        /// <summary>The reader is to be set to it.</summary>
        Unknown,

        /// <summary>It does, and so does all before it.</summary>
        Same,

        /// <summary>Another stands there, or nobody can tell.</summary>
        Other,
    }
}
