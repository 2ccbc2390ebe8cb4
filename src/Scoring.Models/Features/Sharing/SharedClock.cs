using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.Sharing;

/// <summary>Which panes contributions go to, which ones an event may read, and when these no longer change.</summary>
/// <remarks>
/// An event goes to the pane of max(its time, its partition's watermark), so that a pane does not change once the watermark has passed its
/// end. It is read when it closed at least <c>settle</c> before. A label goes to the pane of the time at which its transaction is
/// <c>delay</c> old, or, when the label comes too late for that, to the first pane that begins <c>settle</c> after the watermark: a
/// pane of labels therefore is final <c>settle</c> before it begins, and may be read as soon as it does.
/// </remarks>
internal static class SharedClock
{
    public static long EventPane(EntityPlan entity, long eventTimeMs, long watermarkMs) => Floor(Math.Max(eventTimeMs, watermarkMs), entity.PaneMs);

    public static long LabelPane(EntityPlan entity, long eventTimeMs, long watermarkMs)
    {
        long known = eventTimeMs + entity.LabelDelayMs;
        return Floor(watermarkMs == long.MinValue ? known : Math.Max(known, watermarkMs + entity.SettleMs + entity.PaneMs), entity.PaneMs);
    }

    /// <summary>Latest start of a pane of events that a window at a time may read.</summary>
    public static long LastEventPane(EntityPlan entity, SharedWindowPlan window, long nowMs) =>
        Math.Min(nowMs - window.DelayMs, nowMs - entity.SettleMs - entity.PaneMs);

    /// <summary>Latest start of a pane of labels: the pane of events moved on by the labels' delay.</summary>
    public static long LastLabelPane(EntityPlan entity, SharedWindowPlan window, long nowMs) =>
        LastEventPane(entity, window, nowMs) + entity.LabelDelayMs;

    /// <summary>How far every source must have come before an event at a time reads what it will always read.</summary>
    public static long Horizon(EntityPlan entity, long nowMs)
    {
        long horizon = long.MinValue;
        foreach (var window in entity.Shared!.Windows)
        {
            horizon = Math.Max(horizon, Floor(LastEventPane(entity, window, nowMs), entity.PaneMs) + entity.PaneMs);
            if (entity.HasLabels && window.DelayMs >= entity.LabelDelayMs)
            {
                horizon = Math.Max(horizon, Floor(LastLabelPane(entity, window, nowMs), entity.PaneMs) - entity.SettleMs);
            }
        }

        return horizon;
    }

    private static long Floor(long timeMs, long paneMs) => timeMs - (((timeMs % paneMs) + paneMs) % paneMs);
}
