namespace Scoring.Simulation.Clients;

/// <summary>A call that goes on while nobody waits for it.</summary>
internal sealed class ProducerOperation
{
    /// <summary>Whether it is over, well or not.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether nobody will ask for it again.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>What follows when everything is sent.</summary>
    public Action? Continue { get; set; }
}
