using Scoring.Faults.Rows;

namespace Scoring.Faults;

/// <summary>What is run.</summary>
internal sealed record MatrixPlan
{
    /// <summary>Of the payments and the schedule.</summary>
    public required int Seed { get; init; }

    /// <summary>Faults in each row.</summary>
    public required int Injections { get; init; }

    /// <summary>Payments a second.</summary>
    public required int Rate { get; init; }

    /// <summary>Copies of each partition.</summary>
    public required int BrokerCount { get; init; }

    /// <summary>Settings of every worker, as <c>SECTION:NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>In order.</summary>
    public required IReadOnlyList<FaultRow> Rows { get; init; }
}
