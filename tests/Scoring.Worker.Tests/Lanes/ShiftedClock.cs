namespace Scoring.Worker.Tests.Lanes;

/// <summary>The system's clock, which can be put forward.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long shift;

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref shift);

    /// <summary>Puts it forward.</summary>
    public void Advance(TimeSpan time) => Interlocked.Add(ref shift, (long)(time.TotalSeconds * TimestampFrequency));
}
