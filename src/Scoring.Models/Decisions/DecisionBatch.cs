namespace Scoring.Models.Decisions;

/// <summary>What was decided for the rows of a micro-batch. Reused from batch to batch.</summary>
public sealed class DecisionBatch
{
    /// <summary>Makes room for <paramref name="rowsMax"/> rows.</summary>
    public DecisionBatch(int rowsMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        Decisions = new Decision[rowsMax];
        RuleHits = new ulong[rowsMax];
        ShadowHits = new ulong[rowsMax];
    }

    /// <summary>The decision of each row.</summary>
    public Decision[] Decisions { get; }

    /// <summary>The rules that hit; bit i is <see cref="DecisionPolicy.Rules"/>[i].</summary>
    public ulong[] RuleHits { get; }

    /// <summary>The shadow rules that hit, of the same numbering. They decide nothing.</summary>
    public ulong[] ShadowHits { get; }
}
