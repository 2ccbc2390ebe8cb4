using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Sharing;

/// <summary>Sparse panes of one key in the order of their start, one entry per (pane, source), with running totals: a window is two look-ups and a subtraction.</summary>
/// <remarks>
/// An entry: pane start, source, the source's counters, the totals up to and including it. Closed panes do not change, so that
/// live contributions touch the last entries only; one that comes in the middle moves and adds to those behind it.
/// A reader may look while the writer writes: it stays inside the array it took and its result is thrown away
/// (<see cref="SharedAggregates"/>).
/// </remarks>
internal sealed class PaneSeries(int words)
{
    private readonly int stride = 2 + (2 * words);
    private readonly long[] dropped = new long[words];   // totals of the entries given up
    private long[] entries = new long[4 * (2 + (2 * words))];
    private int first;
    private int count;

    public int Count => count;

    /// <summary>Start of the newest pane.</summary>
    public long Newest => count == 0 ? long.MinValue : entries[(first + count - 1) * stride];

    public long Bytes => (entries.LongLength + dropped.LongLength) * sizeof(long);

    /// <summary>Sets a source's counters of a pane; what it said before no longer counts.</summary>
    public void Set(long startMs, int source, ReadOnlySpan<long> counters, SharedPlan plan, int firstWord)
    {
        int at = PlaceOf(startMs, source);
        if (at == first + count || Entry(at)[0] != startMs || Entry(at)[1] != source)
        {
            if (counters.IndexOfAnyExcept(0) < 0)
            {
                return;
            }

            at = Insert(at);
            var fresh = Entry(at);
            fresh.Clear();
            fresh[0] = startMs;
            fresh[1] = source;
            (at == first ? dropped : Entry(at - 1)[(2 + words)..]).CopyTo(fresh[(2 + words)..]);
        }

        Span<long> delta = stackalloc long[words];
        var own = Entry(at).Slice(2, words);
        counters.CopyTo(delta);
        Combine(delta, own, plan, firstWord, -1);
        counters.CopyTo(own);
        for (int later = at; later < first + count; later++)
        {
            Combine(Entry(later)[(2 + words)..], delta, plan, firstWord, 1);
        }
    }

    /// <summary>Adds up the panes that start in (<paramref name="afterMs"/>, <paramref name="lastMs"/>].</summary>
    public void Sum(long afterMs, long lastMs, Span<long> sums, SharedPlan plan, int firstWord)
    {
        sums.Clear();
        if (lastMs <= afterMs)
        {
            return;
        }

        var seen = entries;
        int begin = Math.Min(first, seen.Length / stride);
        int seenCount = Math.Min(count, (seen.Length / stride) - begin);
        int to = UpTo(seen, begin, seenCount, lastMs);
        int from = UpTo(seen, begin, seenCount, afterMs);
        Totals(seen, begin, to).CopyTo(sums);
        Combine(sums, Totals(seen, begin, from), plan, firstWord, -1);
    }

    /// <summary>Gives up panes that start at or before a time.</summary>
    public void Expire(long horizonMs)
    {
        while (count > 0 && Entry(first)[0] <= horizonMs)
        {
            Entry(first)[(2 + words)..].CopyTo(dropped);
            first++;
            count--;
        }
    }

    private ReadOnlySpan<long> Totals(long[] seen, int begin, int behind) =>
        behind == begin ? dropped : seen.AsSpan(((behind - 1) * stride) + 2 + words, words);

    private int UpTo(long[] seen, int begin, int seenCount, long timeMs)
    {
        int low = begin;
        int left = seenCount;
        while (left > 0)
        {
            int half = left / 2;
            if (seen[(low + half) * stride] <= timeMs)
            {
                low += half + 1;
                left -= half + 1;
            }
            else
            {
                left = half;
            }
        }

        return low;
    }

    private int PlaceOf(long startMs, int source)
    {
        int at = first + count;
        while (at > first && (Entry(at - 1)[0] > startMs || (Entry(at - 1)[0] == startMs && Entry(at - 1)[1] >= source)))
        {
            at--;
        }

        return at;
    }

    private Span<long> Entry(int at) => entries.AsSpan(at * stride, stride);

    private int Insert(int at)
    {
        if ((first + count + 1) * stride > entries.Length)
        {
            // Readers that took the old array keep it whole; the gap at its front is closed on the way.
            var wider = new long[Math.Max(entries.Length, (count + 1) * 2 * stride)];
            entries.AsSpan(first * stride, count * stride).CopyTo(wider);
            at -= first;
            entries = wider;
            first = 0;
        }

        entries.AsSpan(at * stride, (first + count - at) * stride).CopyTo(entries.AsSpan((at + 1) * stride));
        count++;
        return at;
    }

    /// <summary>target += sign * part; squares are 128 bits wide in two words.</summary>
    private static void Combine(Span<long> target, ReadOnlySpan<long> part, SharedPlan plan, int firstWord, int sign)
    {
        if (firstWord > 0 || plan.Counters.Length == 1)
        {
            for (int i = 0; i < target.Length; i++)
            {
                target[i] += sign * part[i];
            }

            return;
        }

        foreach (var counter in plan.Counters)
        {
            int word = counter.Word;
            target[word] += sign * part[word];
            if (counter.Value < 0)
            {
                continue;
            }

            target[word + 1] += sign * part[word + 1];
            if (counter.Squares)
            {
                var sum = new Int128((ulong)target[word + 3], (ulong)target[word + 2])
                    + (sign * new Int128((ulong)part[word + 3], (ulong)part[word + 2]));
                target[word + 2] = (long)(ulong)sum;
                target[word + 3] = (long)(ulong)(sum >> 64);
            }
        }
    }
}
