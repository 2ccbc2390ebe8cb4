using Scoring.Worker.State;

namespace Scoring.Worker.Lanes;

/// <summary>Contributions that other partitions of this process have seen and that were taken back with their transaction.</summary>
/// <remarks>
/// They stay as they are: others were told that these sums are whole, and the same rows, computed again, make the same sums. Only a label that is
/// applied elsewhere the second time makes others; so when the rows have been computed again, what was told is compared with what is.
/// </remarks>
internal sealed class RetractedContributions
{
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private long until = -1;

    /// <summary>Everything before this offset had been computed.</summary>
    public void Until(long offset) => until = Math.Max(until, offset);

    /// <summary>Keeps a contribution.</summary>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sum) => keys.Add(Convert.ToHexString(key));

    /// <summary>Tells them as they are, when the partition has come to where it was.</summary>
    public void TellWhenDone(PartitionInput partition, AggregatesLedger ledger)
    {
        if (keys.Count == 0 || partition.RewindOffset < until)
        {
            return;
        }

        foreach (string key in keys)
        {
            partition.State.WriteContribution(Convert.FromHexString(key), (told, sum) => ledger.Apply(partition.Partition, told, sum));
        }

        keys.Clear();
        until = -1;
    }
}
