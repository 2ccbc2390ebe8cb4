using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Windows;

/// <summary>The latest events of one key, in the order of their time (equal times: of their arrival), and the windows that move along them.</summary>
/// <remarks>
/// Works on the payload of a record. Events have sequence numbers that count up with every event and wrap; number s lies at place
/// s mod <see cref="EntityPlan.EventsMax"/>. A window is two numbers, and sums that change only as the two move: in order of time every
/// event is added once and taken away once, O(1) per window. An event out of order moves those behind it and counts its
/// windows anew, O(events kept).
/// </remarks>
internal static class EventRing
{
    public static int First(ReadOnlySpan<long> record) => (int)record[EntityPlan.Ring];

    public static int End(ReadOnlySpan<long> record) => (int)(record[EntityPlan.Ring] >> 32);

    /// <summary>Word of the payload where an event begins.</summary>
    public static int PlaceOf(EntityPlan entity, int sequence) => entity.RingWord + ((sequence & (entity.EventsMax - 1)) * entity.EventWords);

    public static Span<long> Event(EntityPlan entity, Span<long> record, int sequence) => record.Slice(PlaceOf(entity, sequence), entity.EventWords);

    public static long Time(EntityPlan entity, ReadOnlySpan<long> record, int sequence) => record[PlaceOf(entity, sequence)];

    /// <summary>Appends the event that is not older than any, and moves the windows up to it.</summary>
    /// <returns>Whether an event was given up that a window may still have wanted.</returns>
    public static bool Append(EntityPlan entity, Span<long> record, ReadOnlySpan<long> words, Span<long> runLengths)
    {
        bool dropped = false;
        int end = End(record);
        if (end - First(record) == entity.EventsMax)
        {
            dropped = entity.RetentionMs == long.MaxValue || Time(entity, record, First(record)) > words[0] - entity.RetentionMs;
            DropOldest(entity, record);
        }

        words.CopyTo(Event(entity, record, end));
        SetBounds(record, First(record), end + 1);
        Advance(entity, record, words[0]);
        if (entity.HasHazard)
        {
            LabelRuns.Learn(entity, record, words[0], runLengths);
        }

        return dropped;
    }

    /// <summary>Puts a late event behind those of its time. The windows must be counted anew by <see cref="Rebuild"/>.</summary>
    /// <param name="entity">Layout.</param>
    /// <param name="record">Payload.</param>
    /// <param name="words">The event.</param>
    /// <param name="stored">False when the ring is full of later events: nothing has changed.</param>
    /// <param name="dropped">Whether an event was given up for it that a window may still have wanted.</param>
    /// <returns>Its sequence number.</returns>
    public static int Insert(EntityPlan entity, Span<long> record, ReadOnlySpan<long> words, out bool stored, out bool dropped)
    {
        dropped = false;
        stored = true;
        if (End(record) - First(record) == entity.EventsMax)
        {
            if (words[0] < Time(entity, record, First(record)))
            {
                stored = false;
                return 0;
            }

            dropped = true;
            Forget(entity, record, First(record));
            SetBounds(record, First(record) + 1, End(record));
        }

        int place = End(record);
        for (; place != First(record) && Time(entity, record, place - 1) > words[0]; place--)
        {
            Event(entity, record, place - 1).CopyTo(Event(entity, record, place));
        }

        words.CopyTo(Event(entity, record, place));
        SetBounds(record, First(record), End(record) + 1);
        int learnt = (int)(record[EntityPlan.Labels] >> 32);
        if (place - learnt < 0)
        {
            SetLabels(record, (int)record[EntityPlan.Labels], learnt + 1);
        }

        return place;
    }

    /// <summary>Gives up the newest event: only for the copy on which the features of an event that is not kept are computed.</summary>
    public static void DropNewest(Span<long> record) => SetBounds(record, First(record), End(record) - 1);

    /// <summary>Counts every window from nothing as it was at a time.</summary>
    public static void Rebuild(EntityPlan entity, Span<long> record, long atMs)
    {
        foreach (var window in entity.Windows)
        {
            foreach (var accumulator in window.Accumulators)
            {
                int words = accumulator.Value < 0 ? 1 : accumulator.Squares ? 4 : 2;
                record.Slice(accumulator.Word, words).Clear();
            }

            SetCursors(record, window, First(record), First(record));
        }

        Advance(entity, record, atMs);
    }

    /// <summary>First event inside a window.</summary>
    public static int Tail(ReadOnlySpan<long> record, WindowPlan window) => (int)record[window.CursorWord];

    /// <summary>First event behind a window.</summary>
    public static int Head(ReadOnlySpan<long> record, WindowPlan window) => (int)(record[window.CursorWord] >> 32);

    /// <summary>Changes the count of known frauds.</summary>
    public static void AddFrauds(Span<long> record, int more) => SetLabels(record, (int)record[EntityPlan.Labels] + more, (int)(record[EntityPlan.Labels] >> 32));

    public static void SetLabels(Span<long> record, int frauds, int learnt) => record[EntityPlan.Labels] = (uint)frauds | ((long)learnt << 32);

    /// <summary>The first event later than a time: events up to it are not.</summary>
    public static int FirstAfter(EntityPlan entity, ReadOnlySpan<long> record, long timeMs)
    {
        int low = First(record);
        int count = End(record) - low;
        while (count > 0)
        {
            int half = count / 2;
            if (Time(entity, record, low + half) <= timeMs)
            {
                low += half + 1;
                count -= half + 1;
            }
            else
            {
                count = half;
            }
        }

        return low;
    }

    private static void Advance(EntityPlan entity, Span<long> record, long nowMs)
    {
        int end = End(record);
        foreach (var window in entity.Windows)
        {
            int tail = Tail(record, window);
            int head = Head(record, window);
            long last = nowMs - window.DelayMs;
            while (head != end && Time(entity, record, head) <= last)
            {
                Add(entity, record, window, head, 1);
                head++;
            }

            long horizon = last - window.LengthMs;
            while (tail != head && Time(entity, record, tail) <= horizon)
            {
                Add(entity, record, window, tail, -1);
                tail++;
            }

            SetCursors(record, window, tail, head);
        }
    }

    private static void Add(EntityPlan entity, Span<long> record, WindowPlan window, int sequence, int sign)
    {
        if (window.Accumulators.Length == 0)
        {
            return;
        }

        var words = Event(entity, record, sequence);
        foreach (var accumulator in window.Accumulators)
        {
            if (accumulator.Filter != 0 && (words[entity.FlagsWord] & accumulator.Filter) == 0)
            {
                continue;
            }

            long value = accumulator.Value < 0 ? 0 : words[entity.ValuesWord + accumulator.Value];
            if (value != FieldSource.Missing)
            {
                Summary.Add(record, accumulator, value, sign);
            }
        }
    }

    private static void DropOldest(EntityPlan entity, Span<long> record)
    {
        int first = First(record);
        foreach (var window in entity.Windows)
        {
            int tail = Tail(record, window);
            int head = Head(record, window);
            if (tail != first)
            {
                continue;
            }

            if (head != first)
            {
                Add(entity, record, window, first, -1);
            }

            SetCursors(record, window, first + 1, head == first ? first + 1 : head);
        }

        Forget(entity, record, first);
        SetBounds(record, first + 1, End(record));
    }

    private static void Forget(EntityPlan entity, Span<long> record, int first)
    {
        int frauds = (int)record[EntityPlan.Labels];
        int learnt = (int)(record[EntityPlan.Labels] >> 32);
        bool fraud = entity.HasLabels && (Event(entity, record, first)[entity.FlagsWord] & EntityPlan.FraudFlag) != 0;
        SetLabels(record, fraud ? frauds - 1 : frauds, learnt == first ? first + 1 : learnt);
    }

    private static void SetBounds(Span<long> record, int first, int end) => record[EntityPlan.Ring] = (uint)first | ((long)end << 32);

    private static void SetCursors(Span<long> record, WindowPlan window, int tail, int head) => record[window.CursorWord] = (uint)tail | ((long)head << 32);
}
