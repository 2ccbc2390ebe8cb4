using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Sharing;

/// <summary>Sparse panes of one key in the order of their start, one entry per (pane, source), with running totals: a window is two look-ups and a subtraction.</summary>
/// <remarks>
/// An entry: source, the source's counters, the totals up to and including it; the starts lie beside them, dense, for the search. Closed panes do not change, so that
/// live contributions touch the last entries only; one that comes in the middle moves and adds to those behind it.
/// A reader may look while the writer writes: it stays inside the array it took and its result is thrown away
/// (<see cref="SharedAggregates"/>).
/// </remarks>
internal sealed class PaneSeries(int words)
{
    private readonly int stride = 1 + (2 * words);
    private readonly long[] dropped = new long[words];   // totals of the entries given up
    private long[] starts = new long[4];
    private long[] entries = new long[4 * (1 + (2 * words))];
    private int first;
    private int count;

    public int Count => count;

    /// <summary>Start of the newest pane.</summary>
    public long Newest => count == 0 ? long.MinValue : starts[first + count - 1];

    public long Bytes => (starts.LongLength + entries.LongLength + dropped.LongLength) * sizeof(long);

    /// <summary>Sets a source's counters of a pane; what it said before no longer counts.</summary>
    public void Set(long startMs, int source, ReadOnlySpan<long> counters, SharedPlan plan, int firstWord)
    {
        int at = PlaceOf(startMs, source);
        if (at == first + count || starts[at] != startMs || Entry(at)[0] != source)
        {
            if (counters.IndexOfAnyExcept(0) < 0)
            {
                return;
            }

            at = Insert(at);
            var fresh = Entry(at);
            fresh.Clear();
            starts[at] = startMs;
            fresh[0] = source;
            (at == first ? dropped : Entry(at - 1)[(1 + words)..]).CopyTo(fresh[(1 + words)..]);
        }

        Span<long> delta = stackalloc long[words];
        var own = Entry(at).Slice(1, words);
        counters.CopyTo(delta);
        Combine(delta, own, plan, firstWord, -1);
        counters.CopyTo(own);
        for (int later = at; later < first + count; later++)
        {
            Combine(Entry(later)[(1 + words)..], delta, plan, firstWord, 1);
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

        var (seenStarts, seen) = (starts, entries);
        int room = Math.Min(seenStarts.Length, seen.Length / stride);
        int begin = Math.Min(first, room);
        int end = Math.Min(begin + count, room);
        int to = UpTo(seenStarts, begin, end, lastMs);
        int from = UpTo(seenStarts, begin, to, afterMs);
        Totals(seen, begin, to).CopyTo(sums);
        Combine(sums, Totals(seen, begin, from), plan, firstWord, -1);
    }

    /// <summary>Gives up panes that start at or before a time.</summary>
    public void Expire(long horizonMs)
    {
        while (count > 0 && starts[first] <= horizonMs)
        {
            Entry(first)[(1 + words)..].CopyTo(dropped);
            first++;
            count--;
        }
    }

    private ReadOnlySpan<long> Totals(long[] seen, int begin, int behind) =>
        behind == begin ? dropped : seen.AsSpan(((behind - 1) * stride) + 1 + words, words);

    // The end of the panes that start at or before a time. Most windows end among the newest: in growing steps back from there, then by halves.
    private static int UpTo(long[] starts, int begin, int end, long timeMs)
    {
        int step = 1;
        while (end - step >= begin && starts[end - step] > timeMs)
        {
            end -= step;
            step *= 2;
        }

        int low = Math.Max(begin, end - step);
        while (low < end)
        {
            int middle = low + ((end - low) / 2);
            if (starts[middle] <= timeMs)
            {
                low = middle + 1;
            }
            else
            {
                end = middle;
            }
        }

        return low;
    }

    private int PlaceOf(long startMs, int source)
    {
        int at = first + count;
        while (at > first && (starts[at - 1] > startMs || (starts[at - 1] == startMs && Entry(at - 1)[0] >= source)))
        {
            at--;
        }

        return at;
    }

    private Span<long> Entry(int at) => entries.AsSpan(at * stride, stride);

    private int Insert(int at)
    {
        if (first + count == starts.Length)
        {
            // Readers that took the old arrays keep them whole; the gap at their front is closed on the way.
            int capacity = Math.Max(starts.Length, (count + 1) * 2);
            var (widerStarts, wider) = (new long[capacity], new long[capacity * stride]);
            starts.AsSpan(first, count).CopyTo(widerStarts);
            entries.AsSpan(first * stride, count * stride).CopyTo(wider);
            at -= first;
            (starts, entries, first) = (widerStarts, wider, 0);
        }

        starts.AsSpan(at, first + count - at).CopyTo(starts.AsSpan(at + 1));
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
