using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Windows;

/// <summary>A window kept as 32 panes instead of events: fixed memory for any number of events, wrong by at most one pane at its old end.</summary>
/// <remarks>
/// Pane k covers [k * pane, (k + 1) * pane). A window that ends at t reads the panes k-31 to k, where k is the pane of t: it reaches back
/// between 31 and 32 panes. Reading adds up 32 panes; adding is one. An event older than every pane kept counts nowhere.
/// For a late event, later ones that fell into its pane are seen too: the same one pane of error.
/// </remarks>
internal static class PaneWindow
{
    public const int PanesRead = 32;

    public static void Add(EntityPlan entity, PaneWindowPlan window, Span<long> record, ReadOnlySpan<long> words)
    {
        long number = Math.DivRem(words[0], window.PaneMs, out long rest) - (rest < 0 ? 1 : 0);
        var pane = Pane(window, record, number);
        long kept = pane[0] - 1;   // numbers are kept plus one: a record of zeros has no panes
        if (pane[0] == 0 || kept < number)
        {
            pane.Clear();
            pane[0] = number + 1;
        }
        else if (kept > number)
        {
            return;
        }

        foreach (var accumulator in window.Accumulators)
        {
            long value = accumulator.Value < 0 ? 0 : words[entity.ValuesWord + accumulator.Value];
            if (value == FieldSource.Missing || (accumulator.Filter != 0 && (words[entity.FlagsWord] & accumulator.Filter) == 0))
            {
                continue;
            }

            if (accumulator.Value >= 0)
            {
                bool first = pane[accumulator.Word] == 0;
                pane[accumulator.Word + 4] = first ? value : Math.Min(value, pane[accumulator.Word + 4]);
                pane[accumulator.Word + 5] = first ? value : Math.Max(value, pane[accumulator.Word + 5]);
            }

            Summary.Add(pane, accumulator, value, 1);
        }
    }

    public static Summary Read(PaneWindowPlan window, Span<long> record, AccumulatorPlan accumulator, long nowMs)
    {
        long at = nowMs - window.DelayMs;
        long newest = Math.DivRem(at, window.PaneMs, out long rest) - (rest < 0 ? 1 : 0);
        var total = new Summary { Min = long.MaxValue, Max = long.MinValue };
        for (long number = newest - PanesRead + 1; number <= newest; number++)
        {
            var pane = Pane(window, record, number);
            if (pane[0] != number + 1 || pane[accumulator.Word] == 0)
            {
                continue;
            }

            var part = Summary.Read(pane, accumulator);
            total.Count += part.Count;
            total.Sum += part.Sum;
            total.Squares += part.Squares;
            if (accumulator.Value >= 0)
            {
                total.Min = Math.Min(total.Min, pane[accumulator.Word + 4]);
                total.Max = Math.Max(total.Max, pane[accumulator.Word + 5]);
            }
        }

        return total;
    }

    private static Span<long> Pane(PaneWindowPlan window, Span<long> record, long number)
    {
        long place = number % window.PaneCount;
        return record.Slice(window.Word + ((int)(place < 0 ? place + window.PaneCount : place) * window.PaneWords), window.PaneWords);
    }
}
