using Scoring.Models.Features;

namespace Scoring.Worker.State;

/// <summary>One source of contributions, as this process knows it. Everything here stands behind the ledger's gate.</summary>
internal sealed class SourcePartition(int partition, SharedAggregates shared)
{
    private readonly Dictionary<string, byte[]> held = new(StringComparer.Ordinal);
    private long toldMs = long.MinValue;

    /// <summary>Which assignment of it to a lane of this process is the newest.</summary>
    public long Assignment { get; set; }

    /// <summary>Whether a lane of this process writes it.</summary>
    public bool IsOwned { get; set; }

    /// <summary>Whether the group has given it to a lane of this process.</summary>
    public bool IsAssigned { get; set; }

    /// <summary>Whether it has left a lane of this process, and none of another has spoken for it since.</summary>
    public bool IsMoving { get; set; }

    /// <summary>Whether what was told of it was taken back: sums are held until the partition is as far again.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether the reader has to go back first.</summary>
    public bool IsToBeRead { get; set; }

    /// <summary>Where its records ended when it was assigned: those before are of its former owners.</summary>
    public long FormerEnd { get; set; }

    /// <summary>Up to where it had been read when a lane of this process began to write it.</summary>
    public long OwnedFrom { get; set; }

    /// <summary>Where the reader goes back to when the lane gives the partition up.</summary>
    public long SettledPosition { get; set; }

    /// <summary>Says how far it is; never goes back.</summary>
    public void Tell(long watermarkMs)
    {
        toldMs = Math.Max(toldMs, watermarkMs);
        shared.SetWatermark(partition, watermarkMs);
    }

    /// <summary>Takes a contribution, or a mark: it covers the contributions before it.</summary>
    public void Take(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (!ContributionMark.TryRead(key, value, out long watermarkMs, out _))
        {
            if (IsHeld)
            {
                held[Convert.ToHexString(key)] = value.ToArray();
            }
            else
            {
                shared.Apply(partition, key, value);
            }

            return;
        }

        if (IsHeld && watermarkMs >= toldMs)
        {
            IsHeld = false;
            foreach (var (heldKey, sum) in held)
            {
                shared.Apply(partition, Convert.FromHexString(heldKey), sum);
            }

            held.Clear();
        }

        Tell(watermarkMs);
    }
}
