using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Windows;

/// <summary>What the labels known at a time say of one key: frauds in a window, the run of frauds that is open, the honest event before it.</summary>
/// <remarks>
/// An event is known when it is older than the labels' delay: fraud if a label says so and counts by then, honest otherwise.
/// The scans start at the latest known event and stop at the first honest one: as long as the run of frauds, mostly nothing.
/// </remarks>
internal static class LabelRuns
{
    /// <summary>Run lengths are learnt by whole days; longer ones count as this many.</summary>
    public const int DaysMax = 64;

    private const long DayMs = 86_400_000;

    public static double Compute(EntityPlan entity, Span<long> record, in FeatureOp op, long nowMs, ReadOnlySpan<long> runLengths)
    {
        if (op.Kind is AggregateKind.LabelCount)
        {
            int frauds = Frauds(entity, record, op, nowMs);
            return frauds == 0 ? op.Empty : frauds;
        }

        long horizon = op.LengthMs == long.MaxValue ? long.MinValue : nowMs - op.DelayMs - op.LengthMs;
        int at = EventRing.FirstAfter(entity, record, nowMs - op.DelayMs) - 1;
        long firstFraud = FieldSource.Missing;
        long lastFraud = FieldSource.Missing;
        long honest = FieldSource.Missing;
        for (; at - EventRing.First(record) >= 0; at--)
        {
            var words = EventRing.Event(entity, record, at);
            if (words[0] <= horizon)
            {
                break;
            }

            if (op.Filter != 0 && (words[entity.FlagsWord] & op.Filter) == 0)
            {
                continue;
            }

            if (!IsFraud(entity, words, nowMs - op.LabelDelayMs))
            {
                honest = words[0];
                break;
            }

            firstFraud = words[0];
            lastFraud = lastFraud == FieldSource.Missing ? words[0] : lastFraud;
        }

        return op.Kind switch
        {
            AggregateKind.LabelTimeSinceHonest => honest == FieldSource.Missing ? op.Empty : (nowMs - honest) / 1000.0,
            _ when firstFraud == FieldSource.Missing => op.Empty,
            AggregateKind.LabelRunAge => (nowMs - firstFraud) / 1000.0,
            AggregateKind.LabelGap => honest == FieldSource.Missing ? op.Empty : (firstFraud - honest) / 1000.0,
            _ => StillOpen(runLengths, Days(lastFraud - firstFraud), Days(nowMs - firstFraud)) ?? op.Empty,
        };
    }

    /// <summary>Known frauds whose label came to count inside the window. Nothing is scanned while no event kept is a fraud.</summary>
    public static int Frauds(EntityPlan entity, Span<long> record, in FeatureOp op, long nowMs)
    {
        int left = (int)record[EntityPlan.Labels];
        int found = 0;
        long last = nowMs - op.LabelDelayMs;
        for (int at = EventRing.End(record) - 1; left > 0; at--)
        {
            var words = EventRing.Event(entity, record, at);
            if ((words[entity.FlagsWord] & EntityPlan.FraudFlag) == 0)
            {
                continue;
            }

            left--;
            long counts = words[entity.LabelWord + 1];
            if (counts <= last && counts > last - op.LengthMs && (words[entity.FlagsWord] & op.Filter) == op.Filter)
            {
                found++;
            }
        }

        return found;
    }

    /// <summary>Adds the lengths of the runs that the events known by now have ended.</summary>
    public static void Learn(EntityPlan entity, Span<long> record, long nowMs, Span<long> runLengths)
    {
        int learnt = (int)(record[EntityPlan.Labels] >> 32);
        int first = EventRing.First(record);
        int end = EventRing.End(record);
        for (; learnt != end && EventRing.Time(entity, record, learnt) <= nowMs - entity.LabelDelayMs; learnt++)
        {
            if (learnt == first || IsFraud(entity, EventRing.Event(entity, record, learnt), nowMs) || !IsFraud(entity, EventRing.Event(entity, record, learnt - 1), nowMs))
            {
                continue;
            }

            int start = learnt - 1;
            while (start != first && IsFraud(entity, EventRing.Event(entity, record, start - 1), nowMs))
            {
                start--;
            }

            runLengths[Days(EventRing.Time(entity, record, learnt - 1) - EventRing.Time(entity, record, start))]++;
        }

        EventRing.SetLabels(record, (int)record[EntityPlan.Labels], learnt);
    }

    /// <summary>P(longer than the age | at least as long as known): Kaplan-Meier over runs that have ended.</summary>
    /// <param name="runLengths">Ended runs by their length in whole days.</param>
    /// <param name="knownDays">Days from the run's first to its last known fraud.</param>
    /// <param name="ageDays">Days from its first fraud to now.</param>
    private static double? StillOpen(ReadOnlySpan<long> runLengths, int knownDays, int ageDays)
    {
        long asLong = 0;
        long longer = 0;
        for (int days = knownDays; days < DaysMax; days++)
        {
            asLong += runLengths[days];
            longer += days >= ageDays ? runLengths[days] : 0;
        }

        return asLong == 0 ? null : (double)longer / asLong;
    }

    private static int Days(long spanMs) => (int)Math.Min(spanMs / DayMs, DaysMax - 1);

    private static bool IsFraud(EntityPlan entity, ReadOnlySpan<long> words, long lastMs) =>
        (words[entity.FlagsWord] & EntityPlan.FraudFlag) != 0 && words[entity.LabelWord + 1] <= lastMs;
}
