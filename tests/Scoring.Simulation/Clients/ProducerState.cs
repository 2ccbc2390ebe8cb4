namespace Scoring.Simulation.Clients;

/// <summary>Where a producer is.</summary>
internal enum ProducerState
{
    /// <summary>Without an identity.</summary>
    New,

    /// <summary>Between transactions.</summary>
    Ready,

    /// <summary>In one.</summary>
    Open,

    /// <summary>Ending one.</summary>
    Committing,

    /// <summary>Taking one back.</summary>
    Aborting,

    /// <summary>In one that can only be taken back.</summary>
    Abortable,

    /// <summary>Of no use any more.</summary>
    Fatal,
}
