namespace Scoring.Trainer.Labels;

/// <summary>Every label reported until a time, and what the labels of each transaction come to. The order in which they came does not matter.</summary>
/// <remarks>
/// 1. A label reported later than the time looked at is not there yet. 2. The same label again (redelivery) is one label; the earliest report
/// counts. 3. A label that another names in <c>supersedes</c> is out, for good, whichever of the two came first and even when the other is
/// itself superseded. 4. A label that says neither fraud nor honest decides nothing; it can supersede. 5. Of those left, the one reported last
/// decides; of one time, the one that came last. Where it says what the one before it said, it confirms that one, and the earlier report stands. 6. One whose transaction is not known waits for it.
/// </remarks>
internal sealed class LabelLedger
{
    private readonly Dictionary<string, LabelVerdict> verdicts = new(StringComparer.Ordinal);
    private readonly HashSet<string> joined = new(StringComparer.Ordinal);
    private readonly LabelCounts counts;

    /// <summary>Works the labels out.</summary>
    /// <param name="labels">All labels recorded, in any order.</param>
    /// <param name="asOfMs">Time that is looked at, ms since 1970 UTC.</param>
    public LabelLedger(IReadOnlyCollection<LabelRecord> labels, long asOfMs)
    {
        var reported = labels.Where(label => label.ReportedAtMs <= asOfMs).ToList();
        var distinct = reported
            .OrderBy(label => label.ReportedAtMs).ThenBy(label => label.Partition).ThenBy(label => label.Offset)
            .DistinctBy(label => (label.LabelId, label.TransactionId, label.IsFraud, label.Supersedes))
            .ToList();
        var corrected = distinct
            .Where(label => label.Supersedes is not null && !string.Equals(label.Supersedes, label.LabelId, StringComparison.Ordinal))
            .Select(label => label.Supersedes!)
            .ToHashSet(StringComparer.Ordinal);
        var inForce = distinct.Where(label => !corrected.Contains(label.LabelId)).ToList();
        int contradicted = 0;
        int confirmed = 0;
        foreach (var label in inForce.Where(label => label.IsFraud >= 0))
        {
            bool isFraud = label.IsFraud == 1;
            if (verdicts.TryGetValue(label.TransactionId, out var before))
            {
                contradicted += before.IsFraud == isFraud ? 0 : 1;
                confirmed += before.IsFraud == isFraud ? 1 : 0;
            }

            verdicts[label.TransactionId] = before?.IsFraud == isFraud ? before : new(isFraud, label.ReportedAtMs, label.LabelId);
        }

        counts = new()
        {
            NotYetReported = labels.Count - reported.Count,
            Repeated = reported.Count - distinct.Count,
            Superseded = distinct.Count - inForce.Count,
            Undecided = inForce.Count(label => label.IsFraud < 0),
            Contradicted = contradicted,
            Confirmed = confirmed,
        };
    }

    /// <summary>What became of the labels, with those joined so far.</summary>
    public LabelCounts Counts => counts with { Joined = joined.Count, Waiting = verdicts.Count - joined.Count };

    /// <summary>What the labels of a transaction come to; null when none decides.</summary>
    public LabelVerdict? Join(string transactionId)
    {
        var verdict = verdicts.GetValueOrDefault(transactionId);
        if (verdict is not null)
        {
            joined.Add(transactionId);
        }

        return verdict;
    }
}
