using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>Joins the labels of one partition with its transactions, by the rules that the docs state.</summary>
/// <remarks>
/// A label is told before the first event that is not older than its report. It finds its transaction among the latest
/// (<c>recent_transactions_max</c>), else takes time and keys that it names itself if that time is past, else it waits. The first label
/// of a transaction applies, a repetition changes nothing, a contradiction replaces.
/// </remarks>
internal sealed class LabelLedger(LabelQueue labels, LocalEntityOracle[] locals, SharedEntityOracle[] shared, LabelMapping mapping)
{
    private readonly Dictionary<string, Known> transactions = new(StringComparer.Ordinal);
    private readonly Queue<Known> byAge = new();
    private readonly Dictionary<string, LinkedListNode<(string Id, bool IsFraud)>> waiting = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Id, bool IsFraud)> waitingByAge = new();
    private readonly long delayMs = (long)mapping.Delay.TotalMilliseconds;

    /// <summary>Tells the labels that come before an event.</summary>
    /// <param name="eventTimeMs">Its time, ms since 1970 UTC.</param>
    /// <param name="watermarkMs">Watermark before it; null before the first event.</param>
    public void TellUpTo(long eventTimeMs, long? watermarkMs)
    {
        while (labels.Count > 0 && labels.HeadReportedAtMs <= eventTimeMs)
        {
            Tell(labels.Take(), watermarkMs, latestWatermarkMs: null);
        }
    }

    /// <summary>Tells all that is left, behind the last event.</summary>
    public void TellRest(long? watermarkMs)
    {
        while (labels.Count > 0)
        {
            long reportedAtMs = labels.HeadReportedAtMs;
            Tell(labels.Take(), watermarkMs, Math.Max(watermarkMs ?? reportedAtMs, reportedAtMs));
        }
    }

    /// <summary>Remembers a transaction that was taken in, and gives it the label that came before it.</summary>
    public void Remember(TransactionBatch batch, int row, LabelState label, SharedPart[] parts, long watermarkMs)
    {
        string id = Encoding.UTF8.GetString(batch.TransactionIds[row]);
        if (transactions.TryGetValue(id, out var known))
        {
            if (known.IsSeen)
            {
                // A repetition. A label that is still to come finds the newest record of its transaction; one that came stays where it is.
                known.Label = known.Verdict != true && known.TimeMs == batch.EventTimesMs[row] ? label : known.Label;
                return;
            }

            (label.IsFraud, label.CountsFromMs, label.IsLate) = (known.Label.IsFraud, known.Label.CountsFromMs, known.Label.IsLate);
        }
        else
        {
            known = Add(id);
        }

        known.IsSeen = true;
        known.TimeMs = batch.EventTimesMs[row];
        known.Label = label;
        known.Parts = parts;
        if (waiting.Remove(id, out var early))
        {
            waitingByAge.Remove(early);
            Apply(known, early.Value.IsFraud, watermarkMs, latestWatermarkMs: null);
        }
    }

    private void Tell(LabelBatch label, long? watermarkMs, long? latestWatermarkMs)
    {
        if (label.IsFraud[0] < 0)
        {
            return;
        }

        string id = Encoding.UTF8.GetString(label.TransactionIds[0]);
        bool isFraud = label.IsFraud[0] == 1;
        long timeMs = label.Facts.Times(label.Facts.Schema.EventTime)[0];
        if (!transactions.TryGetValue(id, out var known) && timeMs != long.MinValue && timeMs <= watermarkMs)
        {
            known = Add(id);
            known.TimeMs = timeMs;
            known.Label = locals.Select(entity => entity.Find(label.Facts, 0, id, timeMs)).FirstOrDefault(one => one is not null)?.Label ?? known.Label;
            known.Parts = [.. shared.Select(entity => new SharedPart(entity.KeyOf(label.Facts, 0), entity.Passes(label.Facts, 0)))];
        }

        if (known is not null)
        {
            Apply(known, isFraud, watermarkMs, latestWatermarkMs);
        }
        else if (waiting.TryGetValue(id, out var early))
        {
            early.Value = (id, isFraud);
        }
        else
        {
            if (waiting.Count >= mapping.RecentTransactionsMax && waitingByAge.First is { } oldest)
            {
                waiting.Remove(oldest.Value.Id);
                waitingByAge.RemoveFirst();
            }

            waiting.Add(id, waitingByAge.AddLast((id, isFraud)));
        }
    }

    private void Apply(Known known, bool isFraud, long? watermarkMs, long? latestWatermarkMs)
    {
        if (known.Verdict == isFraud)
        {
            return;
        }

        bool wasFraud = known.Verdict == true;
        known.Verdict = isFraud;
        if (!isFraud && !wasFraud)
        {
            return;
        }

        long trustedMs = known.TimeMs + delayMs;
        known.Label.IsFraud = isFraud;
        known.Label.CountsFromMs = Math.Max(trustedMs, watermarkMs ?? trustedMs);
        known.Label.IsLate = watermarkMs >= trustedMs;
        for (int i = 0; i < shared.Length; i++)
        {
            if (known.Parts[i].Key is { } target && shared[i].HasLabels)
            {
                shared[i].Give(target, known.TimeMs, watermarkMs, latestWatermarkMs, isFraud ? 1 : -1, known.Parts[i].Passes);
            }
        }
    }

    private Known Add(string id)
    {
        while (transactions.Count >= mapping.RecentTransactionsMax && byAge.TryDequeue(out var oldest))
        {
            transactions.Remove(oldest.Id);
        }

        var added = new Known { Id = id };
        transactions.Add(id, added);
        byAge.Enqueue(added);
        return added;
    }

    private sealed class Known
    {
        public required string Id { get; init; }

        public long TimeMs { get; set; }

        public bool IsSeen { get; set; }

        public bool? Verdict { get; set; }

        public LabelState Label { get; set; } = new();

        public SharedPart[] Parts { get; set; } = [];
    }
}
