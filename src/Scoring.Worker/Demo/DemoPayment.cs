using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>The truth about a live payment.</summary>
/// <param name="Sequence">Its sequence.</param>
/// <param name="Pattern">Honest, or by which pattern not.</param>
/// <param name="Campaign">Campaign of the fraud; 0 when honest.</param>
/// <param name="EuroCents">Its amount, about, in cents of a euro.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SimulatedTransactionFacts(long Sequence, FraudPattern Pattern, int Campaign, long EuroCents);

/// <summary>A live payment and what came back for it.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct DemoPayment
{
    /// <summary>The truth.</summary>
    public SimulatedTransactionFacts Facts;

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

    /// <summary>Whether the decision was to review or to decline.</summary>
    public bool IsAlerted;

    /// <summary>Whether the score was marked degraded.</summary>
    public bool IsDegraded;
}
