namespace Scoring.Worker.Demo;

/// <summary>How large and how long a demo is.</summary>
internal sealed record DemoOptions
{
    /// <summary>Seconds of live traffic, 1 to 600. Default 12.</summary>
    public int Seconds { get; init; } = 12;

    /// <summary>Simulated accounts, 100 to 100,000. Default 2,500; the time to import, train and warm up grows with them.</summary>
    public int Accounts { get; init; } = 2_500;

    /// <summary>Live payments per second, 1 to 20,000. Default 1,000.</summary>
    public int Rate { get; init; } = 1_000;

    /// <summary>Seed of the simulated world and of the training. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Whether the folder with history, model and logs stays.</summary>
    public bool Keep { get; init; }
}
