using CsCheck;
using Scoring.Trainer.Labels;

namespace Scoring.Trainer.Tests.Labels;

public sealed class LabelLedgerTests
{
    private static readonly Gen<LabelRecord> Label =
        from id in Gen.Int[0, 9]
        from transaction in Gen.Int[0, 3]
        from isFraud in Gen.Int[-1, 1]
        from reportedAtMs in Gen.Long[0, 6]
        from supersedes in Gen.Int[0, 30]
        select new LabelRecord
        {
            LabelId = FormattableString.Invariant($"l{id}"),
            TransactionId = FormattableString.Invariant($"t{transaction}"),
            AccountId = "a",
            IsFraud = (sbyte)isFraud,
            ReportedAtMs = reportedAtMs,
            Supersedes = supersedes < 10 ? FormattableString.Invariant($"l{supersedes}") : null,
        };

    [Fact]
    public void The_order_in_which_labels_are_read_changes_nothing() =>
        Gen.Select(Label.Array[0, 12], Gen.Int[0, 1_000]).Sample((labels, seed) =>
        {
            var ordered = labels.Select((label, offset) => label with { Offset = offset }).ToArray();
            var shuffled = ordered.ToArray();
            new Random(seed).Shuffle(shuffled);

            var one = new LabelLedger(ordered, asOfMs: 5);
            var other = new LabelLedger(shuffled, asOfMs: 5);

            Assert.All(Transactions, transaction => Assert.Equal(one.Join(transaction), other.Join(transaction)));
            Assert.Equal(one.Counts, other.Counts);
        });

    [Fact]
    public void Each_label_is_counted_once_and_the_outcome_is_what_a_reader_of_the_rules_finds() =>
        Label.Array[0, 12].Sample(drawn =>
        {
            var labels = drawn.Select((label, offset) => label with { Offset = offset }).ToArray();
            var ledger = new LabelLedger(labels, asOfMs: 5);
            foreach (string transaction in Transactions)
            {
                var verdict = ledger.Join(transaction);
                Assert.Equal(ByTheRules(labels, transaction), verdict?.IsFraud);
            }

            Assert.Equal(labels.Length, ledger.Counts.Named.Sum(count => count.Value));
        });

    private static IEnumerable<string> Transactions => ["t0", "t1", "t2", "t3"];

    // The last word of those reported that nobody has superseded; a redelivered label is one label.
    private static bool? ByTheRules(LabelRecord[] labels, string transaction)
    {
        LabelRecord? last = null;
        foreach (var label in labels)
        {
            bool isOut = label.ReportedAtMs > 5
                || label.IsFraud < 0
                || Array.Exists(labels, other => IsSame(other, label) && (other.ReportedAtMs, other.Offset).CompareTo((label.ReportedAtMs, label.Offset)) < 0)
                || !string.Equals(label.TransactionId, transaction, StringComparison.Ordinal)
                || Array.Exists(labels, other => other.ReportedAtMs <= 5 && string.Equals(other.Supersedes, label.LabelId, StringComparison.Ordinal) && !string.Equals(other.LabelId, label.LabelId, StringComparison.Ordinal));
            if (!isOut && (last is null || label.ReportedAtMs >= last.ReportedAtMs))
            {
                last = label;
            }
        }

        return last is null ? null : last.IsFraud == 1;
    }

    private static bool IsSame(LabelRecord one, LabelRecord other) => one with { Offset = 0, ReportedAtMs = 0 } == other with { Offset = 0, ReportedAtMs = 0 };
}
