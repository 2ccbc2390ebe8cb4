namespace Scoring.Worker.Demo;

/// <summary>How large and how fast a demo is.</summary>
internal sealed record DemoOptions
{
    /// <summary>Simulated accounts, 1,000 to 20,000. Default 2,000; every step takes time in proportion. Fewer have too few frauds in two days to judge a model on.</summary>
    public int Accounts { get; init; } = 2_000;

    /// <summary>Live payments per second, 100 to 10,000. Default 2,500: 2,000 accounts pay 4,000 times a day, so a day takes less than two seconds.</summary>
    public int Rate { get; init; } = 2_500;

    /// <summary>Seed of the simulated world and of the training. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Whether the folder with payments, labels, scores, models, keys and logs stays.</summary>
    public bool Keep { get; init; }
}
