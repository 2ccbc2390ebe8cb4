using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Scoring.Simulation.Broker;

namespace Scoring.Simulation.Histories;

/// <summary>One record of the input.</summary>
/// <param name="IsLabel">For which topic.</param>
/// <param name="Partition">For which partition.</param>
/// <param name="Record">The record.</param>
internal sealed record InputRecord(bool IsLabel, int Partition, LogRecord Record);

/// <summary>Payments over few accounts and merchants and their labels, seeded: late ones, repeats, conflicts, broken ones; in the order in which they are written.</summary>
/// <remarks>
/// First days of them at once, then handful after handful, each within some minutes of event time and written when all before it is committed: a partition that was
/// silent must not wake with what others have read past, which is a stated limit of features that partitions share (docs/decisions/0001). Each ends with a payment of
/// every partition, behind all labels: those behind the last event count when somebody looks, which nobody can foresee.
/// </remarks>
internal sealed class Payments(Random random, int partitionCount)
{
    private const int Accounts = 7;
    private const long Start = 1_740_787_200_000; // 2025-03-01
    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;

    private readonly PriorityQueue<InputRecord, (long TimeMs, int Number)> labels = new();
    private readonly List<(int Partition, string Json)> sent = [];
    private int number;
    private double timeMs = Start;
    private long latestMs = Start;

    /// <summary>Makes days of payments.</summary>
    public List<InputRecord> Days(int count) => Make(count, 2 * 120 * Hour / Math.Max(40, count), 50 * Minute, 2 * Hour);

    /// <summary>Makes some payments of one moment, hours later.</summary>
    public List<InputRecord> Handful(int count)
    {
        timeMs = latestMs + (random.NextDouble() * random.NextDouble() * 20 * Hour);
        return Make(count, 10 * Minute / count, 5 * Minute, 5 * Minute);
    }

    private List<InputRecord> Make(int count, double stepMs, long lateMs, long labelMs)
    {
        var made = new List<InputRecord>();
        for (int i = 0; i < count; i++)
        {
            timeMs += random.Next(4) == 0 ? 0 : random.NextDouble() * stepMs;
            TakeLabels((long)timeMs);
            long eventMs = (long)timeMs - (random.Next(15) == 0 ? random.NextInt64(lateMs) : 0);
            int account = random.Next(3) == 0 ? 0 : random.Next(Accounts);
            int partition = account % partitionCount;
            string id = Text($"t-{number++}");
            string json = Event(id, eventMs, account, random.Next(1, 20_000));
            made.Add(Record(isLabel: false, partition, account, json));
            sent.Add((partition, json));
            latestMs = Math.Max(latestMs, eventMs);
            if (random.Next(3) == 0)
            {
                Label(id, eventMs, account, labelMs);
            }

            switch (random.Next(25))
            {
                case 0:
                    var (where, again) = sent[^Math.Min(sent.Count, random.Next(1, 12))];
                    made.Add(Record(isLabel: false, where, account, again));
                    break;
                case 1:
                    made.Add(Record(isLabel: false, partition, account, Event(id, eventMs, account, 77_777)));
                    break;
                case 2:
                    made.Add(Record(isLabel: false, partition, account, json[..^1]));
                    break;
                case 3:
                    made.Add(Record(isLabel: true, partition, account, "{\"label_id\":1}"));
                    break;
                default:
                    break;
            }
        }

        TakeLabels(long.MaxValue);
        for (int partition = 0; partition < partitionCount; partition++)
        {
            made.Add(Record(isLabel: false, partition, partition, Event(Text($"t-{number++}"), latestMs, partition, 1)));
        }

        return made;

        void TakeLabels(long untilMs)
        {
            while (labels.TryPeek(out var label, out var due) && due.TimeMs <= untilMs)
            {
                latestMs = Math.Max(latestMs, due.TimeMs);
                made.Add(label);
                labels.Dequeue();
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Rfc3339(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private string Event(string id, long ms, int account, int amount) =>
        Text($$"""{"transaction_id":"{{id}}","event_time":"{{Rfc3339(ms)}}","amount_minor":{{amount}},"currency":"EUR","account_id":"a-{{account}}","merchant_id":"m-{{random.Next(3)}}"}""");

    private void Label(string id, long eventMs, int account, long laterMs)
    {
        // Early enough for the pane that opens 6 h after the payment, of which others must know 3 h before: one that is told later counts from when it is told, which nobody can foresee.
        // And not before what is written already: it must come when it says.
        long reportedMs = Math.Max(eventMs, (long)timeMs) + 1 + (long)(random.NextDouble() * laterMs);
        string json = Text($$"""{"label_id":"l-{{id}}","transaction_id":"{{id}}","account_id":"a-{{account}}","is_fraud":{{(random.Next(2) == 0 ? "true" : "false")}},"source":"fraud_report","reported_at":"{{Rfc3339(reportedMs)}}","transaction_time":"{{Rfc3339(eventMs)}}"}""");
        labels.Enqueue(Record(isLabel: true, account % partitionCount, account, json), (Math.Max(reportedMs, (long)timeMs), number));
    }

    private InputRecord Record(bool isLabel, int partition, int account, string json) =>
        new(isLabel, partition, new LogRecord(Encoding.UTF8.GetBytes(Text($"a-{account}")), Encoding.UTF8.GetBytes(json), new Headers(), (long)timeMs));
}
