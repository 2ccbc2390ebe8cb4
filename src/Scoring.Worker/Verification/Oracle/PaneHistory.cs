namespace Scoring.Worker.Verification.Oracle;

/// <summary>A window that is kept as panes of a thirty-second of its length: it reads the pane of its end and the 31 before.</summary>
/// <remarks>As many panes are kept as the delay needs beside these; a later one takes the place of the oldest, and what is older than it counts nowhere.</remarks>
internal sealed class PaneHistory(long lengthMs, long delayMs)
{
    private const int PanesOfWindow = 32;

    private readonly long paneMs = (lengthMs + PanesOfWindow - 1) / PanesOfWindow;
    private readonly Dictionary<long, (long Number, List<long?> Values)> places = [];

    private long PlaceCount => PanesOfWindow + 1 + (delayMs / paneMs);

    /// <summary>Takes an event in.</summary>
    /// <param name="timeMs">Its time, ms since 1970 UTC.</param>
    /// <param name="passes">Whether it passes the filter: if not, it only opens its pane.</param>
    /// <param name="value">Its value in units; null where it lacks it.</param>
    public void Add(long timeMs, bool passes, long? value)
    {
        long number = NumberOf(timeMs);
        long place = PlaceOf(number);
        if (!places.TryGetValue(place, out var pane) || pane.Number < number)
        {
            pane = (number, []);
            places[place] = pane;
        }

        if (pane.Number == number && passes)
        {
            pane.Values.Add(value);
        }
    }

    /// <summary>The values of the window that ends <c>delay</c> before a time.</summary>
    public IEnumerable<long?> Window(long nowMs)
    {
        long newest = NumberOf(nowMs - delayMs);
        for (long number = newest - PanesOfWindow + 1; number <= newest; number++)
        {
            if (places.TryGetValue(PlaceOf(number), out var pane) && pane.Number == number)
            {
                foreach (long? value in pane.Values)
                {
                    yield return value;
                }
            }
        }
    }

    private long NumberOf(long timeMs) => (long)Math.Floor((decimal)timeMs / paneMs);

    private long PlaceOf(long number) => ((number % PlaceCount) + PlaceCount) % PlaceCount;
}
