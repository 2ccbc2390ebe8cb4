namespace Scoring.Worker.Lanes;

/// <summary>Keeps the commits of a worker's lanes apart: two at once take longer, and where lanes commit at one interval those that fall together once would go on to.</summary>
/// <remarks>Safe from several threads. Lanes that ask in the same moment may all begin; one of them waits when they next differ by a moment (docs/decisions/0026).</remarks>
/// <param name="lanes">How many there are.</param>
/// <param name="clock">Tells when they begin.</param>
internal sealed class CommitSpacing(int lanes, TimeProvider clock)
{
    /// <summary>Of an even spacing of all lanes, how much is asked for at most: with all of it, whoever is late would make the others late, too.</summary>
    private const double EvenShare = 0.8;

    /// <summary>How many usual commits fit between the beginnings of two.</summary>
    private const double CommitsApart = 1.5;

    private static readonly TimeSpan WaitMax = TimeSpan.FromMilliseconds(50);

    private long last;

    /// <summary>Whether a lane's commit is due: its interval has passed, and no other's has just begun, or it has waited for half an interval or 50 ms.</summary>
    /// <param name="since">How long ago the lane's last commit began.</param>
    /// <param name="interval">From one commit of the lane to the next.</param>
    /// <param name="cost">How long a commit of the lane usually takes.</param>
    public bool IsDue(TimeSpan since, TimeSpan interval, TimeSpan cost)
    {
        var waited = since - interval;
        if (waited < TimeSpan.Zero)
        {
            return false;
        }

        long begun = Volatile.Read(ref last);
        return lanes == 1
            || begun == 0
            || waited >= WaitMax
            || waited >= interval / 2
            || clock.GetElapsedTime(begun) is var apart && (apart >= EvenShare / lanes * interval || apart >= CommitsApart * cost);
    }

    /// <summary>Tells that a lane's commit begins.</summary>
    public void Begins() => Volatile.Write(ref last, clock.GetTimestamp());
}
