using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Broker;

/// <summary>How long things take inside the broker: mostly a millisecond, sometimes much longer.</summary>
/// <param name="random">The history's.</param>
/// <param name="slowShare">Share of markers that are late, 0 to 1.</param>
/// <param name="lostShare">Share of the aborted transactions whose markers are never written, 0 to 1: Kafka 4.3.1 takes partitions whose leader it does not know for deleted.</param>
internal sealed class BrokerPace(Random random, double slowShare, double lostShare)
{
    /// <summary>Whether it goes through no trouble any more.</summary>
    public bool IsHealed { get; set; }

    /// <summary>Until a marker is written, ticks.</summary>
    public long Marker() => !IsHealed && random.NextDouble() < slowShare ? Ms(random.Next(1, 1_500)) : Ms(random.NextDouble() * 4);

    /// <summary>Whether the markers of a transaction that is aborted are not written.</summary>
    public bool LosesMarkers() => lostShare > 0 && !IsHealed && random.NextDouble() < lostShare;

    /// <summary>A step of the coordinator, ticks.</summary>
    public long Step() => Ms(random.NextDouble() * 2);

    /// <summary>How long after its time an open transaction is found, ticks: the broker looks every 10 s.</summary>
    public long TimeoutCheck() => Ms(random.NextDouble() * 10_000);

    private static long Ms(double milliseconds) => (long)(milliseconds * World.Millisecond);
}
