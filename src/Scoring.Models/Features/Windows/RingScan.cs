using System.Numerics;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Windows;

/// <summary>Aggregates that look at each event of their window anew: O(events in it), at most the ring.</summary>
/// <remarks>
/// The field's values are gathered side by side and not sorted. Nothing is kept in the record: no memory per key, nothing to take back.
/// </remarks>
internal sealed class RingScan(int eventsMax)
{
    private const double EarthRadiusKm = 6371.0088;

    private readonly long[] gathered = new long[Math.Max(1, eventsMax)];

    // A table of twice to four times the values, so that a look-up ends soon.
    private readonly long[] seen = new long[4 * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, eventsMax))];

    /// <summary>Gathers the values of a range of events that pass the filter.</summary>
    public Span<long> Values(EntityPlan entity, Span<long> record, int from, int to, int word, long filter)
    {
        int count = 0;
        int mask = entity.EventsMax - 1;
        for (int sequence = from; sequence != to; sequence++)
        {
            int at = entity.RingWord + ((sequence & mask) * entity.EventWords);
            long value = record[at + word];
            if (value != FieldSource.Missing && (filter == 0 || (record[at + entity.FlagsWord] & filter) != 0))
            {
                gathered[count++] = value;
            }
        }

        return gathered.AsSpan(0, count);
    }

    /// <summary>min, max, median, distinct, ratio_to_median over a window.</summary>
    public double Windowed(EntityPlan entity, Span<long> record, in FeatureOp op, ReadOnlySpan<long> current)
    {
        var window = entity.Windows[op.Window];
        int word = op.Kind == AggregateKind.Distinct ? entity.IdentitiesWord + op.Identity : entity.ValuesWord + op.Value;
        var values = Values(entity, record, EventRing.Tail(record, window), EventRing.Head(record, window), word, op.Filter);
        if (values.IsEmpty)
        {
            return op.Empty;
        }

        double scale = op.Kind == AggregateKind.Distinct ? 1 : entity.Values[op.Value].Scale;
        switch (op.Kind)
        {
            case AggregateKind.Min:
                return Extreme(values, smallest: true) / scale;
            case AggregateKind.Max:
                return Extreme(values, smallest: false) / scale;
            case AggregateKind.Median:
                return Median(values) / scale;
            case AggregateKind.Distinct:
                return Distinct(values);
            default:
                double median = Median(values);
                long value = current[word];
                return value == FieldSource.Missing || median <= 0 ? op.Empty : value / median;
        }
    }

    /// <summary>Median in fixed-point units; the mean of the two in the middle for an even count.</summary>
    public static double Median(ReadOnlySpan<long> values)
    {
        int below = (values.Length - 1) / 2;
        long lower = Smallest(values, rank: below);
        if (values.Length % 2 == 1 || CountUpTo(values, lower) > below + 1)
        {
            return lower;
        }

        long upper = long.MaxValue;
        foreach (long value in values)
        {
            upper = value > lower ? Math.Min(upper, value) : upper;
        }

        return (lower + upper) / 2.0;
    }

    /// <summary>time_since_last, run_length, distance_from_last, speed_from_last: back from the current event.</summary>
    /// <param name="entity">Layout.</param>
    /// <param name="record">Payload.</param>
    /// <param name="op">Which.</param>
    /// <param name="place">Sequence number of the current event.</param>
    public static double Back(EntityPlan entity, Span<long> record, in FeatureOp op, int place)
    {
        var current = EventRing.Event(entity, record, place);
        long last = current[0] - op.DelayMs;
        long horizon = op.LengthMs == long.MaxValue ? long.MinValue : last - op.LengthMs;
        bool isRun = op.Kind == AggregateKind.RunLength;
        bool isPlace = op.Kind is AggregateKind.DistanceFromLast or AggregateKind.SpeedFromLast;
        if (isPlace && !HasPlace(entity, current))
        {
            return op.Empty;
        }

        int run = 0;
        for (int at = isRun ? place : place - 1; at - EventRing.First(record) >= 0; at--)
        {
            var words = EventRing.Event(entity, record, at);
            if (words[0] > last)
            {
                continue;
            }

            if (words[0] <= horizon)
            {
                break;
            }

            bool passes = op.Filter == 0 || (words[entity.FlagsWord] & op.Filter) != 0;
            if (isRun)
            {
                if (!passes || (op.Identity >= 0 && !SameIdentity(words[entity.IdentitiesWord + op.Identity], current[entity.IdentitiesWord + op.Identity])))
                {
                    break;
                }

                run++;
            }
            else if (passes && isPlace && HasPlace(entity, words))
            {
                double km = Kilometres(entity, words, current);
                return op.Kind == AggregateKind.DistanceFromLast ? km : km / (Math.Max(1000, current[0] - words[0]) / 3_600_000.0);
            }
            else if (passes && !isPlace)
            {
                return (current[0] - words[0]) / 1000.0;
            }
        }

        return run > 0 ? run : op.Empty;
    }

    private static long Extreme(ReadOnlySpan<long> values, bool smallest)
    {
        long extreme = values[0];
        foreach (long value in values)
        {
            extreme = smallest ? Math.Min(extreme, value) : Math.Max(extreme, value);
        }

        return extreme;
    }

    private static bool SameIdentity(long one, long other) => one == other && one != FieldSource.Missing;

    // By halving the range of values: each step counts, many values at once and without a branch that depends on them.
    private static long Smallest(ReadOnlySpan<long> values, int rank)
    {
        long low = Extreme(values, smallest: true);
        long high = Extreme(values, smallest: false);
        while (low < high)
        {
            long middle = low + (long)((ulong)(high - low) / 2);
            if (CountUpTo(values, middle) > rank)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private static int CountUpTo(ReadOnlySpan<long> values, long limit)
    {
        var limits = new Vector<long>(limit);
        var counts = Vector<long>.Zero;
        int at = 0;
        for (; at <= values.Length - Vector<long>.Count; at += Vector<long>.Count)
        {
            counts -= Vector.LessThanOrEqual(new Vector<long>(values[at..]), limits); // Minus one where it holds.
        }

        int count = (int)Vector.Sum(counts);
        for (; at < values.Length; at++)
        {
            count += values[at] <= limit ? 1 : 0;
        }

        return count;
    }

    private int Distinct(ReadOnlySpan<long> values)
    {
        const long Empty = FieldSource.Missing;
        int bits = BitOperations.Log2((uint)values.Length) + 2;
        var table = seen.AsSpan(0, 1 << bits);
        table.Fill(Empty);
        int distinct = 0;
        foreach (long value in values)
        {
            // Fibonacci hashing: identities of numbers lie close together.
            int at = (int)(((ulong)value * 0x9E3779B97F4A7C15) >> (64 - bits));
            while (table[at] != Empty && table[at] != value)
            {
                at = (at + 1) & (table.Length - 1);
            }

            distinct += table[at] == Empty ? 1 : 0;
            table[at] = value;
        }

        return distinct;
    }

    private static bool HasPlace(EntityPlan entity, ReadOnlySpan<long> words) =>
        words[entity.ValuesWord + entity.Location] != FieldSource.Missing && words[entity.ValuesWord + entity.Location + 1] != FieldSource.Missing;

    /// <summary>Great-circle distance by the haversine formula on a sphere of the mean radius; places are known to a millionth of a degree.</summary>
    private static double Kilometres(EntityPlan entity, ReadOnlySpan<long> from, ReadOnlySpan<long> to)
    {
        const double RadiansPerUnit = Math.PI / 180 / 1_000_000;
        int word = entity.ValuesWord + entity.Location;
        double latitude = from[word] * RadiansPerUnit;
        double otherLatitude = to[word] * RadiansPerUnit;
        double sinLatitude = Math.Sin((otherLatitude - latitude) / 2);
        double sinLongitude = Math.Sin((to[word + 1] - from[word + 1]) * RadiansPerUnit / 2);
        double square = (sinLatitude * sinLatitude) + (Math.Cos(latitude) * Math.Cos(otherLatitude) * sinLongitude * sinLongitude);
        return 2 * EarthRadiusKm * Math.Asin(Math.Min(1, Math.Sqrt(square)));
    }
}
