namespace Scoring.Trainer.Labels;

/// <summary>How much was learnt about frauds since a model was trained, from the labels alone.</summary>
internal static class NewlyKnown
{
    /// <summary>Labels that say fraud and became known in (<paramref name="afterMs"/>, <paramref name="untilMs"/>].</summary>
    /// <param name="labels">All labels.</param>
    /// <param name="delayMs">Time after a transaction from which on its label counts.</param>
    /// <param name="afterMs">When the last model was trained, ms since 1970 UTC.</param>
    /// <param name="untilMs">The time that is looked at.</param>
    /// <remarks>
    /// A label is known when it is reported, or where it names its transaction's time, when the delay after that is over, whichever is later.
    /// Labels of one transaction count once. Transactions are not asked: a label whose transaction is unknown counts too.
    /// </remarks>
    public static int Count(IEnumerable<LabelRecord> labels, long delayMs, long afterMs, long untilMs) => labels
        .Where(label => label.IsFraud == 1)
        .GroupBy(label => label.TransactionId, StringComparer.Ordinal)
        .Select(ofTransaction => ofTransaction.Min(label => Math.Max(label.ReportedAtMs, label.TransactionTimeMs + delayMs ?? long.MinValue)))
        .Count(knownMs => knownMs > afterMs && knownMs <= untilMs);
}
