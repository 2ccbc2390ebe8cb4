using Scoring.Simulation.Clients;
using Scoring.Worker.Lanes;

namespace Scoring.Simulation.Histories;

/// <summary>What a fault does.</summary>
internal enum FaultKind
{
    /// <summary>A worker dies at one of its next calls, and is started again.</summary>
    Kill,

    /// <summary>A worker stands still, perhaps for longer than its session and its transactions.</summary>
    Freeze,

    /// <summary>A worker is told to stop, and is started again.</summary>
    Restart,

    /// <summary>A worker joins, or one leaves.</summary>
    Scale,

    /// <summary>The broker stands still.</summary>
    Hold,

    /// <summary>Nothing gets through between a worker and the broker.</summary>
    Cut,
}

/// <summary>A fault at a moment.</summary>
/// <param name="AtMs">When, ms.</param>
/// <param name="Kind">What.</param>
/// <param name="Worker">Which worker, modulo those there are.</param>
/// <param name="Ms">For how long.</param>
/// <param name="Calls">For <see cref="FaultKind.Kill"/>: at which of its next calls.</param>
internal sealed record PlannedFault(int AtMs, FaultKind Kind, int Worker, int Ms, int Calls);

/// <summary>Everything that a seed decides before its history begins.</summary>
internal sealed record HistoryPlan
{
    private const int StateIntervalMsMax = 6_000; // The default is 5,000.

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>Partitions.</summary>
    public required int Partitions { get; init; }

    /// <summary>Workers at the beginning.</summary>
    public required int Workers { get; init; }

    /// <summary>Lanes of each.</summary>
    public required int Lanes { get; init; }

    /// <summary>Whether workers have names.</summary>
    public required bool AreNamed { get; init; }

    /// <summary>Good events before the end of the faults.</summary>
    public required int Events { get; init; }

    /// <summary>Events behind it, for a worker that starts anew.</summary>
    public required int LastEvents { get; init; }

    /// <summary>Share of the events that are there before the first worker starts, days of them.</summary>
    public required double Before { get; init; }

    /// <summary>For how long faults happen, ms.</summary>
    public required int ActiveMs { get; init; }

    /// <summary>Rows of a batch.</summary>
    public required int RowsMax { get; init; }

    /// <summary>Time between two copies of state, ms.</summary>
    public required int StateIntervalMs { get; init; }

    /// <summary>Share of late markers.</summary>
    public required double SlowMarkers { get; init; }

    /// <summary>Share of the aborted transactions that the broker never closes. None is drawn: such a history does not come to its end.</summary>
    public double LostMarkers { get; init; }

    /// <summary>How bad the network is.</summary>
    public required NetworkFaults Network { get; init; }

    /// <summary>Whether threads that wait get their turns late, as on a machine that has much else to do: lanes and the reader of contributions stand further apart.</summary>
    public bool ThreadsAreLate { get; init; }

    /// <summary>For how long nothing happens until all workers have heard of everything, ms.</summary>
    public int CalmMs { get; init; } = 400;

    /// <summary>The faults.</summary>
    public required IReadOnlyList<PlannedFault> Faults { get; init; }

    /// <summary>A mistake that the worker is to make.</summary>
    public PlantedBug Bug { get; init; }

    /// <summary>Draws a plan.</summary>
    public static HistoryPlan Of(int seed, PlantedBug bug = PlantedBug.None)
    {
        var random = new Random(seed);
        int activeMs = random.Next(3_000, 14_000);
        bool isQuiet = random.Next(10) == 0;
        double trouble = isQuiet ? 0 : Math.Pow(random.NextDouble(), 2) * 0.12;
        var plan = new HistoryPlan
        {
            Seed = seed,
            Bug = bug,
            Partitions = random.Next(2, 5),
            Workers = random.Next(1, 4),
            Lanes = random.Next(1, 3),
            AreNamed = random.Next(2) == 0,
            Events = random.Next(50, 180),
            LastEvents = random.Next(5, 25),
            Before = 0.2 + (random.NextDouble() * 0.7),
            ActiveMs = activeMs,
            RowsMax = random.Next(1, 4) * random.Next(1, 8),
            StateIntervalMs = random.Next(50, 1_500),
            SlowMarkers = random.Next(3) == 0 ? random.NextDouble() * 0.3 : 0,
            Network = new NetworkFaults
            {
                Slow = random.NextDouble() * trouble * 0.5,
                Refused = random.NextDouble() * trouble,
                Lost = random.NextDouble() * trouble,
                AnswerLost = random.NextDouble() * trouble,
                Late = random.NextDouble() * trouble,
            },
            Faults = isQuiet ? [] : [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => Draw(random, activeMs)).OrderBy(fault => fault.AtMs)],
        };
        if (!isQuiet && new Random(unchecked((seed * 31) + 7)).NextDouble() < 0.15) // Drawn apart, so that the others are the histories that they were before.
        {
            plan = plan with { Network = plan.Network with { SentBack = 0.02 } };
        }

        if (!isQuiet && new Random(unchecked((seed * 37) + 11)).NextDouble() < 0.15)
        {
            plan = plan with { Network = plan.Network with { LateReads = 0.1 } };
        }

        return random.NextDouble() switch // Drawn last, so that a third are the histories that they were before there were late ones.
        {
            < 0.35 => plan,
            < 0.55 => plan with { ThreadsAreLate = true },
            _ => LateAndRare(plan, random),
        };
    }

    /// <summary>Threads late, state copied rarely, and, where anything happens, a worker that stands still for longer than its session, perhaps while it joins, and believes afterwards that its partitions are its own.</summary>
    private static HistoryPlan LateAndRare(HistoryPlan plan, Random random)
    {
        var freeze = new PlannedFault(random.Next(200, plan.ActiveMs), FaultKind.Freeze, random.Next(6), random.Next(9_000, 22_000), Calls: 0);
        return plan with
        {
            ThreadsAreLate = true,
            CalmMs = 1_000,
            StateIntervalMs = random.Next(50, StateIntervalMsMax),
            Faults = plan.Faults.Count == 0 ? [] : [.. plan.Faults.Append(freeze).OrderBy(fault => fault.AtMs)],
        };
    }

    private static PlannedFault Draw(Random random, int activeMs)
    {
        var kind = random.Next(12) switch
        {
            < 4 => FaultKind.Kill,
            < 7 => FaultKind.Freeze,
            7 => FaultKind.Restart,
            8 or 9 => FaultKind.Scale,
            10 => FaultKind.Hold,
            _ => FaultKind.Cut,
        };
        int longest = kind == FaultKind.Freeze ? 22_000 : kind == FaultKind.Cut ? 14_000 : 5_000;
        return new PlannedFault(random.Next(activeMs), kind, random.Next(6), random.Next(2) == 0 ? random.Next(50, 2_000) : random.Next(50, longest), random.Next(1, 300));
    }
}
