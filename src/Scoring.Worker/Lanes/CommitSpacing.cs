namespace Scoring.Worker.Lanes;

/// <summary>Keeps the commits of a worker's lanes apart: those of two lanes at once take twice as long, and once they fall together they would go on to, since both come at the same interval.</summary>
/// <remarks>Safe from several threads. Two lanes that ask in the same moment both begin; the next time one of them waits (docs/decisions/0026).</remarks>
/// <param name="lanes">How many there are.</param>
/// <param name="clock">Whose timestamps.</param>
internal sealed class CommitSpacing(int lanes, TimeProvider clock)
{
    /// <summary>Of an even spacing, how much is asked for: with all of it, whoever is late would make the others late, too.</summary>
    private const double Share = 0.8;

    private long last;

    /// <summary>Whether the last commit of any lane began long enough ago.</summary>
    /// <param name="now">Timestamp.</param>
    /// <param name="interval">From one commit of a lane to the next.</param>
    public bool IsApart(long now, TimeSpan interval)
    {
        long begun = Volatile.Read(ref last);
        return lanes == 1 || begun == 0 || clock.GetElapsedTime(begun, now) >= Share / lanes * interval;
    }

    /// <summary>Tells that a lane's commit begins.</summary>
    /// <param name="now">Timestamp.</param>
    public void Begins(long now) => Volatile.Write(ref last, now);
}
