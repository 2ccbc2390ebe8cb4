using Scoring.Models.Events;

namespace Scoring.Worker.Lanes;

/// <summary>Mistakes that a test makes the lane make, because a verifier that cannot fail proves nothing. No setting names them.</summary>
internal enum PlantedBug
{
    /// <summary>The lane as it is.</summary>
    None,

    /// <summary>State is not taken back with its transaction.</summary>
    NoUndo,

    /// <summary>Readers are not set back with it.</summary>
    NoSeek,

    /// <summary>Transactions are committed without the input offsets.</summary>
    NoOffsets,

    /// <summary>Offsets are committed one too far.</summary>
    PositionOffByOne,

    /// <summary>A record that the producer does not take is passed over.</summary>
    SwallowedRecord,

    /// <summary>The mark is restored, the state before it is not.</summary>
    StateForgotten,

    /// <summary>A commit whose outcome is not known is taken for done.</summary>
    UnknownIsDone,

    /// <summary>A commit whose outcome is not known is taken for taken back.</summary>
    UnknownIsTakenBack,

    /// <summary>Labels are not set back with their transaction.</summary>
    LabelsKept,

    /// <summary>Every fifth alert is left out.</summary>
    AlertLeftOut,
}

/// <summary>What a test plants.</summary>
/// <param name="Bug">A mistake.</param>
/// <param name="AbortShare">Share of transactions that are taken back instead of committed, 0 to 1.</param>
/// <param name="Seed">Of the choice which.</param>
/// <param name="DoubtShare">Share of commits whose outcome the lane is not told, half of them committed, 0 to 1.</param>
/// <param name="Killer">A transaction that ends the worker when it is about to be computed, by an exception that nobody expects.</param>
internal sealed record Planted(PlantedBug Bug, double AbortShare, int Seed, double DoubtShare = 0, byte[]? Killer = null)
{
    private uint state = (uint)Seed;

    /// <summary>Nothing.</summary>
    public static Planted Nothing { get; } = new(PlantedBug.None, 0, 0);

    /// <summary>Whether the next transaction is to be taken back.</summary>
    public bool Aborts() => Draws(AbortShare);

    /// <summary>Whether the next outcome is not to be told.</summary>
    public bool Doubts() => Draws(DoubtShare / 2);

    /// <summary>Ends the worker if the killer is in a batch.</summary>
    public void KillOn(TransactionBatch batch)
    {
        for (int row = 0; Killer is not null && row < batch.RowCount; row++)
        {
            if (batch.TransactionIds[row].SequenceEqual(Killer))
            {
                throw new InvalidOperationException("a test wants this row to be the end");
            }
        }
    }

    private bool Draws(double share)
    {
        if (share <= 0)
        {
            return false;
        }

        state = (state * 1_664_525) + 1_013_904_223; // Knuth's and Lewis's; lanes may step on each other, which changes nothing but the order.
        return state / (double)uint.MaxValue < share;
    }
}
