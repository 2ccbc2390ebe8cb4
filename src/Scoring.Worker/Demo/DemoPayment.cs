using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>The truth about a live payment.</summary>
/// <param name="Sequence">Its sequence.</param>
/// <param name="EventTimeMs">When it happened, ms since 1970 UTC.</param>
/// <param name="Pattern">Honest, or by which pattern not.</param>
/// <param name="Campaign">Campaign of the fraud; 0 when honest.</param>
/// <param name="EuroCents">Its amount, about, in cents of a euro.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SimulatedTransactionFacts(long Sequence, long EventTimeMs, FraudPattern Pattern, int Campaign, long EuroCents);

/// <summary>A live payment and what came back for it.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct DemoPayment
{
    /// <summary>The truth.</summary>
    public SimulatedTransactionFacts Facts;

    /// <summary>Its score, once <see cref="IsAnswered"/>.</summary>
    public DemoAnswer Answer;

    /// <summary>What the first model says of it, where it was asked afterwards; NaN where it was not.</summary>
    public double FirstModelProbability;

    /// <summary>Time stamp of the clock when it was handed to the producer.</summary>
    public long SentAt;

    /// <summary>The same, ms since 1970 UTC.</summary>
    public long SentAtMs;

    /// <summary>From handing it to the producer to its score being made, ms, as the score says.</summary>
    public float ComputedMs;

    /// <summary>From handing it to the producer to its score being read, ms.</summary>
    public float VisibleMs;

    /// <summary>Whether its score came.</summary>
    public volatile bool IsAnswered;
}
