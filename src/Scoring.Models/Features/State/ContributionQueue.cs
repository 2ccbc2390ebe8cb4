namespace Scoring.Models.Features.State;

/// <summary>Panes of shared entities that changed since they were last drained, and keys of panes that expired.</summary>
/// <remarks>Draining inside a transaction only moves a mark; what was drained is forgotten at commit and comes back at rollback.</remarks>
internal sealed class ContributionQueue
{
    private (int Table, int Index)[] changed = new (int, int)[64];
    private int changedDrained;
    private int changedCount;
    private int changedCountAtBegin;
    private byte[] expired = new byte[256];
    private int expiredDrained;
    private int expiredCount;
    private int expiredCountAtBegin;

    /// <summary>Changed records not drained yet; one may come twice.</summary>
    public ReadOnlySpan<(int Table, int Index)> Changed => changed.AsSpan(changedDrained, changedCount - changedDrained);

    /// <summary>Keys not drained yet: length (2 bytes), key bytes, one after the other.</summary>
    public ReadOnlySpan<byte> Expired => expired.AsSpan(expiredDrained, expiredCount - expiredDrained);

    /// <summary>Keys that expired since <see cref="Begin"/>, drained or not.</summary>
    public ReadOnlySpan<byte> ExpiredSinceBegin => expired.AsSpan(expiredCountAtBegin, expiredCount - expiredCountAtBegin);

    public void AddChanged(int table, int index)
    {
        if (changedCount == changed.Length)
        {
            Array.Resize(ref changed, changed.Length * 2);
        }

        changed[changedCount++] = (table, index);
    }

    public void AddExpired(ReadOnlySpan<byte> key)
    {
        if (expiredCount + key.Length + 2 > expired.Length)
        {
            Array.Resize(ref expired, Math.Max(expired.Length * 2, expiredCount + key.Length + 2));
        }

        expired[expiredCount] = (byte)key.Length;
        expired[expiredCount + 1] = (byte)(key.Length >> 8);
        key.CopyTo(expired.AsSpan(expiredCount + 2));
        expiredCount += key.Length + 2;
    }

    /// <summary>Takes over keys that were due when a changelog was written; the queue is empty.</summary>
    public void Restore(ReadOnlySpan<byte> expiredKeys)
    {
        expired = new byte[Math.Max(256, expiredKeys.Length)];
        expiredKeys.CopyTo(expired);
        expiredCount = expiredKeys.Length;
    }

    public void Drained()
    {
        changedDrained = changedCount;
        expiredDrained = expiredCount;
    }

    public void Begin()
    {
        changedCountAtBegin = changedCount;
        expiredCountAtBegin = expiredCount;
    }

    /// <summary>Forgets what was drained.</summary>
    public void Commit()
    {
        changed.AsSpan(changedDrained, changedCount - changedDrained).CopyTo(changed);
        changedCount -= changedDrained;
        changedDrained = 0;
        expired.AsSpan(expiredDrained, expiredCount - expiredDrained).CopyTo(expired);
        expiredCount -= expiredDrained;
        expiredDrained = 0;
    }

    public void Rollback()
    {
        changedCount = changedCountAtBegin;
        changedDrained = 0;
        expiredCount = expiredCountAtBegin;
        expiredDrained = 0;
    }
}
