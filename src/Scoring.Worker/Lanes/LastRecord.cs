using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

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

    /// <summary>Whether a record is the next to be taken. If not, its reader was sent back, and is to be set to where it is seen whether it may go on, or to where it stood.</summary>
    /// <param name="topic">Its topic.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="received">Offset after the last record received, and after an end that was reached behind it.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="leaderEpoch">Of its batch; null where the broker tells none.</param>
    /// <param name="timestamp">Its timestamp.</param>
    /// <param name="logger">Told that a reader was sent back.</param>
    /// <param name="readFrom">Where the reader is to be set; only where it is not the next.</param>
    /// <exception cref="LaneFailure">Another record stands where the last one stood.</exception>
    public bool IsNext(string topic, int partition, long received, long offset, int? leaderEpoch, Timestamp timestamp, ILogger logger, out long readFrom)
    {
        readFrom = Position;
        if (offset >= received && !IsInDoubt)
        {
            return true;
        }

        switch (Look(offset, leaderEpoch, timestamp.UnixTimestampMs))
        {
            case Place.Unknown:
                LogMessages.SentBack(logger, topic, partition, Position, offset);
                readFrom = Offset;
                return false;
            case Place.Same:
                return false;
            default:
                throw new LaneFailure(
                    ExitCode.Configuration,
                    FormattableString.Invariant($"{topic} [{partition}] went back from offset {received} to {offset}: the topic was made anew, or its broker has lost what it had acknowledged; reset the group's offsets or use another Kafka:Group"));
        }
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
