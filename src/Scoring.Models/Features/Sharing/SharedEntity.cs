using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Sharing;

/// <summary>The keys of one shared entity, in stripes.</summary>
internal sealed class SharedEntity(EntityPlan entity, long keysMax)
{
    private const int StripeBits = 8;

    private readonly Stripe[] stripes = [.. Enumerable.Range(0, 1 << StripeBits).Select(_ => new Stripe())];

    public long KeyCount { get; private set; }

    public long KeysEvicted { get; private set; }

    public void Set(ReadOnlySpan<byte> key, uint tag, int source, long paneStartMs, ReadOnlySpan<long> counters, long horizonMs)
    {
        if (paneStartMs <= horizonMs)
        {
            return;
        }

        var stripe = stripes[tag >> (32 - StripeBits)];
        int version = stripe.Version;
        Volatile.Write(ref stripe.Version, version + 1);
        Volatile.WriteBarrier();
        var found = Find(stripe.Slots, key, tag) ?? Add(stripe, key, tag, horizonMs);
        var shared = entity.Shared!;
        found.Events.Expire(horizonMs);
        found.Events.Set(paneStartMs, source, counters[..shared.EventWords], shared, 0);
        if (found.Labels is { } labels)
        {
            labels.Expire(horizonMs);
            labels.Set(paneStartMs, source, counters[shared.EventWords..], shared, shared.EventWords);
        }

        Volatile.Write(ref stripe.Version, version + 2);
    }

    public void Read(ReadOnlySpan<byte> key, uint tag, long nowMs, Span<long> sums)
    {
        var stripe = stripes[tag >> (32 - StripeBits)];
        var wait = default(SpinWait);
        while (true)
        {
            int version = Volatile.Read(ref stripe.Version);
            if ((version & 1) == 0)
            {
                ReadWindows(Find(stripe.Slots, key, tag), nowMs, sums);
                Volatile.ReadBarrier();
                if (stripe.Version == version)
                {
                    return;
                }
            }

            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    private void ReadWindows(SharedKey? found, long nowMs, Span<long> sums)
    {
        if (found is null)
        {
            sums.Clear();
            return;
        }

        var shared = entity.Shared!;
        for (int i = 0; i < shared.Windows.Length; i++)
        {
            var window = shared.Windows[i];
            var part = sums.Slice(i * shared.Words, shared.Words);
            long last = nowMs - window.DelayMs;
            found.Events.Sum(last - window.LengthMs, SharedClock.LastEventPane(entity, window, nowMs), part[..shared.EventWords], shared, 0);
            found.Labels?.Sum(
                last + shared.LabelDelayMs - window.LengthMs,
                SharedClock.LastLabelPane(entity, window, nowMs),
                part[shared.EventWords..],
                shared,
                shared.EventWords);
        }
    }

    private static SharedKey? Find(SharedKey?[] slots, ReadOnlySpan<byte> key, uint tag)
    {
        // Bounded by the table's length: a reader may meet a table that is being changed.
        int at = (int)tag & (slots.Length - 1);
        for (int step = 0; step < slots.Length && slots[at] is { } found; step++)
        {
            if (found.Tag == tag && key.SequenceEqual(found.Key))
            {
                return found;
            }

            at = (at + 1) & (slots.Length - 1);
        }

        return null;
    }

    private SharedKey Add(Stripe stripe, ReadOnlySpan<byte> key, uint tag, long horizonMs)
    {
        if (KeyCount >= keysMax || (stripe.Count + 1) * 2 > stripe.Slots.Length)
        {
            MakeRoom(stripe, horizonMs);
        }

        var shared = entity.Shared!;
        var added = new SharedKey(tag, key.ToArray(), new PaneSeries(shared.EventWords), shared.LabelFilters.Length > 0 ? new PaneSeries(shared.LabelFilters.Length) : null);
        Place(stripe.Slots, added);
        stripe.Count++;
        KeyCount++;
        return added;
    }

    /// <summary>Drops the stripe's keys whose panes have all expired; at the bound also the one that was quiet for longest; and widens the table where that was not enough.</summary>
    private void MakeRoom(Stripe stripe, long horizonMs)
    {
        var kept = stripe.Slots.Where(one => one is not null && one.Newest > horizonMs).ToList();
        if (KeyCount - (stripe.Count - kept.Count) >= keysMax && kept.Count > 0)
        {
            kept.Remove(kept.MinBy(one => one!.Newest));
            KeysEvicted++;
        }

        KeyCount -= stripe.Count - kept.Count;
        stripe.Count = kept.Count;
        var slots = new SharedKey?[stripe.Slots.Length * ((kept.Count + 1) * 2 > stripe.Slots.Length ? 2 : 1)];
        kept.ForEach(one => Place(slots, one!));
        stripe.Slots = slots;
    }

    private static void Place(SharedKey?[] slots, SharedKey key)
    {
        int at = (int)key.Tag & (slots.Length - 1);
        while (slots[at] is not null)
        {
            at = (at + 1) & (slots.Length - 1);
        }

        slots[at] = key;
    }

    private sealed class Stripe
    {
        public int Version;

        public SharedKey?[] Slots { get; set; } = new SharedKey?[8];

        public int Count { get; set; }
    }

    private sealed record SharedKey(uint Tag, byte[] Key, PaneSeries Events, PaneSeries? Labels)
    {
        public long Newest => Math.Max(Events.Newest, Labels?.Newest ?? long.MinValue);
    }
}
