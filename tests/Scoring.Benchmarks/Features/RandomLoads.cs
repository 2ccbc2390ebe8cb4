namespace Scoring.Benchmarks.Features;

/// <summary>Random loads of cache lines over as much memory as the state takes, each waiting for the one before: what state at this size must cost at least.</summary>
internal sealed class RandomLoads
{
    /// <summary>Loads per event: a slot and a record for each of three keys.</summary>
    public const int LoadsPerEvent = 6;

    private const int LineWords = 8;
    private const long BytesMax = 4L << 30;

    private readonly long[] memory;
    private readonly ulong lineCount;
    private ulong at = 88_172_645_463_325_252;

    /// <summary>Takes the memory.</summary>
    /// <param name="bytes">Footprint; at most 4 GiB of it are taken.</param>
    public RandomLoads(long bytes)
    {
        memory = new long[Math.Min(bytes, BytesMax) / sizeof(long)];
        memory.AsSpan().Clear(); // Pages that nobody has written are one page, which is always in the cache.
        lineCount = (ulong)memory.LongLength / LineWords;
    }

    /// <summary>Loads for so many events.</summary>
    public int Run(int eventCount)
    {
        ulong next = at;
        for (int i = 0; i < eventCount * LoadsPerEvent; i++)
        {
            // xorshift64; what was loaded (zero) goes in, so that no load can start before the last has ended.
            next ^= next << 13;
            next ^= next >> 7;
            next ^= next << 17;
            next ^= (ulong)memory[(long)(Math.BigMul(next, lineCount, out _) * LineWords)];
        }

        at = next;
        return eventCount;
    }
}
