using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>Transactions that are decided on before they happen: subscriptions, and the steps of frauds.</summary>
internal sealed class TrafficPlan
{
    private readonly PriorityQueue<PlannedTransaction, long> queue = new();

    /// <summary>When the next one happens; <see cref="long.MaxValue"/> when none is planned.</summary>
    public long NextMs => queue.TryPeek(out _, out long timeMs) ? timeMs : long.MaxValue;

    /// <summary>Plans one transaction at its <see cref="SimulatedTransaction.EventTimeMs"/>.</summary>
    public void Add(SimulatedTransaction transaction) => Add(transaction, repeatEveryMs: 0, repeatsLeft: 0);

    /// <summary>Plans one that repeats.</summary>
    /// <param name="transaction">The first of them.</param>
    /// <param name="repeatEveryMs">Gap to the next.</param>
    /// <param name="repeatsLeft">How many follow the first.</param>
    public void Add(SimulatedTransaction transaction, long repeatEveryMs, int repeatsLeft) =>
        queue.Enqueue(new PlannedTransaction(transaction, repeatEveryMs, repeatsLeft), transaction.EventTimeMs);

    /// <summary>Takes the next one out and plans what follows it.</summary>
    /// <param name="transaction">The transaction, its sequence not yet given.</param>
    /// <param name="random">By how much a repetition is early or late: up to six hours.</param>
    public void Take(out SimulatedTransaction transaction, TrafficRandom random)
    {
        var (taken, everyMs, left) = queue.Dequeue();
        transaction = taken;
        if (left > 0)
        {
            taken.EventTimeMs += Math.Max(1, everyMs + (long)random.Between(-LatenessMs, LatenessMs));
            Add(taken, everyMs, left - 1);
        }
    }

    private const double LatenessMs = 6 * 3_600_000;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct PlannedTransaction(SimulatedTransaction Transaction, long RepeatEveryMs, int RepeatsLeft);
}
