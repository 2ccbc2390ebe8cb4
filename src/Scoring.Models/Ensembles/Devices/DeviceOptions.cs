namespace Scoring.Models.Ensembles.Devices;

/// <summary>How lanes share a device.</summary>
public sealed record DeviceOptions
{
    /// <summary>Fewest rows of a lane's micro-batch for which the device is asked; fewer cost the processor less than the way there. Default 64.</summary>
    public int RowsMin { get; init; } = 64;

    /// <summary>Most rows of one launch, from 16. Default 1,024.</summary>
    public int RowsMax { get; init; } = 1_024;

    /// <summary>Longest time an idle device waits for other lanes to join, ms. Default 1; 0 waits for nobody.</summary>
    public int LingerMs { get; init; } = 1;

    /// <summary>Longest time a lane waits for its scores, ms, before it scores on the processor. Default 50.</summary>
    public int TimeoutMs { get; init; } = 50;

    /// <summary>Told the rows of each launch, and why it failed or null, by the executor's thread before lanes wake; must not throw.</summary>
    public Action<int, string?>? Launched { get; init; }
}
