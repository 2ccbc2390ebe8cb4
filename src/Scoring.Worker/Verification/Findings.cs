namespace Scoring.Worker.Verification;

/// <summary>What must hold of a service's topics.</summary>
internal enum Invariant
{
    /// <summary>Every input below the committed offset has a score or a dead letter, every label that breaks a rule a dead letter.</summary>
    Lost,

    /// <summary>No input has two of them.</summary>
    Duplicated,

    /// <summary>Nothing answers an input that is not committed.</summary>
    Beyond,

    /// <summary>The scores of a partition stand in the order of its input, and in its partition.</summary>
    OutOfOrder,

    /// <summary>A score that asks for action has its alert, an alert its score, a partition's contributions all of its events.</summary>
    Torn,

    /// <summary>What an answer says is what the input, the model and the rules say.</summary>
    Different,

    /// <summary>No Kafka transaction stays open.</summary>
    OpenTransaction,
}

/// <summary>One violation.</summary>
/// <param name="Partition">Partition of the input; -1 where all are meant.</param>
/// <param name="Offset">Offset of the input; of the topic's end where no input is meant, or -1.</param>
/// <param name="TransactionId">The transaction, where it is known.</param>
/// <param name="Expected">What should be.</param>
/// <param name="Found">What is.</param>
internal sealed record Finding(int Partition, long Offset, string? TransactionId, string Expected, string Found)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        string place = Partition < 0 ? "" : Offset < 0 ? FormattableString.Invariant($"partition {Partition}: ") : FormattableString.Invariant($"partition {Partition} offset {Offset}{(TransactionId is null ? "" : " transaction " + TransactionId)}: ");
        return $"{place}expected {Expected}, found {Found}";
    }
}

/// <summary>Violations by invariant: all are counted, the first ten kept.</summary>
internal sealed class Findings
{
    private const int ExamplesMax = 10;

    private readonly long[] counts = new long[Enum.GetValues<Invariant>().Length];
    private readonly List<Finding>[] examples = [.. Enum.GetValues<Invariant>().Select(_ => new List<Finding>())];

    /// <summary>Whether nothing was found.</summary>
    public bool IsEmpty => counts.All(count => count == 0);

    /// <summary>Notes a violation.</summary>
    public void Add(Invariant invariant, Finding finding)
    {
        counts[(int)invariant]++;
        if (examples[(int)invariant].Count < ExamplesMax)
        {
            examples[(int)invariant].Add(finding);
        }
    }

    /// <summary>Violations of an invariant.</summary>
    public long Count(Invariant invariant) => counts[(int)invariant];

    /// <summary>The first of them.</summary>
    public IReadOnlyList<Finding> Examples(Invariant invariant) => examples[(int)invariant];
}
