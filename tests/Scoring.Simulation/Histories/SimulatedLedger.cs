using Scoring.Models.Features;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.State;

namespace Scoring.Simulation.Histories;

/// <summary>A worker's ledger, whose waiting is some milliseconds of the history's time.</summary>
internal sealed class SimulatedLedger(World world, SharedAggregates shared, int partitionCount) : AggregatesLedger(shared, partitionCount)
{
    /// <inheritdoc/>
    public override void WaitForNews() => world.Park(world.Now + ((world.ThreadsAreLate ? 8 : 2) * World.Millisecond));
}
