using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>An output without a broker: what is handed over is kept.</summary>
internal sealed class KeptOutput() : LaneOutput(inFlightMax: 1_000, TimeProvider.System)
{
    /// <summary>Key and value of each record, in order.</summary>
    public List<(byte[] Key, byte[] Value)> Records { get; } = [];

    /// <summary>What is said to be on its way.</summary>
    public int Sent { get; set; }

    /// <inheritdoc/>
    public override int InFlight => Sent;

    /// <inheritdoc/>
    public override bool HasRoom => true;

    /// <inheritdoc/>
    public override bool TakesRecords => true;

    /// <inheritdoc/>
    public override void Poll(TimeSpan wait)
    {
        // Nothing is reported.
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        // Nothing is held.
    }

    /// <inheritdoc/>
    protected override void Hand(OutgoingRecord record) => Records.Add((record.Key.ToArray(), record.Value.ToArray()));
}
