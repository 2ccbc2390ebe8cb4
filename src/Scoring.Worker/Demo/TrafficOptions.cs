using System.ComponentModel.DataAnnotations;

namespace Scoring.Worker.Demo;

/// <summary>What traffic to simulate. The same options give the same transactions, byte for byte.</summary>
internal sealed record TrafficOptions
{
    /// <summary>Seed of everything drawn.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When the stream begins. The customers' habits exist already, so do frauds that take weeks.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>When it ends, not included. Absent: never.</summary>
    public DateTimeOffset? End { get; init; }

    /// <summary>Number of accounts, one card each. Default 5,000.</summary>
    [Range(10, 10_000_000)]
    public int Accounts { get; init; } = 5_000;

    /// <summary>Number of merchants, a quarter of them online. Default 800.</summary>
    [Range(100, 1_000_000)]
    public int Merchants { get; init; } = 800;

    /// <summary>Honest payments of an average account on an average day. Default 2; accounts differ by a factor of some ten.</summary>
    [Range(0.01, 100)]
    public double TransactionsPerAccountPerDay { get; init; } = 2;

    /// <summary>Share of all transactions that is fraud. Default 0.8 %; campaigns come in bursts, so a short stream has more or less.</summary>
    [Range(0.0, 0.5)]
    public double FraudRate { get; init; } = 0.008;

    /// <summary>When a fraud begins that nobody has seen before, <see cref="FraudPattern.StoredCardAbuse"/>, on top of <see cref="FraudRate"/>. Absent: never.</summary>
    public DateTimeOffset? StoredCardAbuseBegins { get; init; }

    /// <summary>Share of honest transactions that an analyst looks at and reports as honest. Default 0.05 %.</summary>
    [Range(0.0, 1.0)]
    public double FalseAlarmRate { get; init; } = 0.0005;

    /// <summary>Middle of the log-normal delay between a fraud and its label, in days. Default 4; one label in twenty takes more than three times as long.</summary>
    [Range(0.01, 365)]
    public double LabelDelayMedianDays { get; init; } = 4;
}
