using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>What is found out about a simulated transaction, days after it.</summary>
/// <param name="Sequence">Sequence of the transaction.</param>
/// <param name="Account">Its account.</param>
/// <param name="Merchant">Its merchant.</param>
/// <param name="Terminal">Its terminal, or -1.</param>
/// <param name="TransactionTimeMs">When it happened, ms since 1970 UTC.</param>
/// <param name="ReportedAtMs">When the label becomes known, ms since 1970 UTC.</param>
/// <param name="Pattern">The fraud, or <see cref="FraudPattern.None"/> for an analyst's false alarm.</param>
/// <param name="Source">Who says so.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SimulatedLabel(
    long Sequence, int Account, int Merchant, int Terminal, long TransactionTimeMs, long ReportedAtMs, FraudPattern Pattern, SimulatedLabelSource Source)
{
    /// <summary>Whether the transaction was fraud.</summary>
    public bool IsFraud => Pattern != FraudPattern.None;
}

/// <summary>Who reports a label; wire values of <c>source</c>.</summary>
internal enum SimulatedLabelSource : byte
{
    /// <summary><c>chargeback</c>: the cardholder disputed the payment.</summary>
    Chargeback,

    /// <summary><c>fraud_report</c>: the issuer told the network.</summary>
    FraudReport,

    /// <summary><c>analyst</c>: somebody looked at it and found it honest.</summary>
    Analyst,
}
