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

/// <summary>Payments of some days over few accounts and merchants and their labels, seeded: late ones, repeats, conflicts, broken ones; in the order in which they are written.</summary>
/// <remarks>The order of writing is that of time but for some minutes, over all partitions: so one that was silent does not wake with what others have read past.</remarks>
internal sealed class Payments(Random random, int partitionCount)
{
    private const int Accounts = 7;
    private const long Start = 1_740_787_200_000; // 2025-03-01
    private const long Hour = 3_600_000;

    private readonly PriorityQueue<InputRecord, (long TimeMs, int Number)> labels = new();
    private readonly List<(int Partition, string Json)> sent = [];
    private int number;
    private double timeMs = Start;

    /// <summary>Makes good events, and what comes between them.</summary>
    /// <param name="count">Good events.</param>
    /// <param name="total">Of how many over five days.</param>
    public IEnumerable<InputRecord> Next(int count, int total)
    {
        for (int i = 0; i < count; i++)
        {
            timeMs += random.Next(4) == 0 ? 0 : random.NextDouble() * 2 * 120 * Hour / total;
            while (labels.TryPeek(out _, out var due) && due.TimeMs <= timeMs)
            {
                yield return labels.Dequeue();
            }

            long eventMs = (long)timeMs - (random.Next(15) == 0 ? random.Next(50 * 60_000) : 0);
            int account = random.Next(3) == 0 ? 0 : random.Next(Accounts);
            int partition = account % partitionCount;
            string id = Text($"t-{number++}");
            string json = Event(id, eventMs, account, random.Next(1, 20_000));
            yield return Record(isLabel: false, partition, account, json);
            sent.Add((partition, json));
            if (random.Next(3) == 0)
            {
                Label(id, eventMs, account);
            }

            switch (random.Next(25))
            {
                case 0:
                    var (where, again) = sent[^Math.Min(sent.Count, random.Next(1, 12))];
                    yield return Record(isLabel: false, where, account, again);
                    break;
                case 1:
                    yield return Record(isLabel: false, partition, account, Event(id, eventMs, account, 77_777));
                    break;
                case 2:
                    yield return Record(isLabel: false, partition, account, json[..^1]);
                    break;
                case 3:
                    yield return Record(isLabel: true, partition, account, "{\"label_id\":1}");
                    break;
                default:
                    break;
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Rfc3339(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private string Event(string id, long ms, int account, int amount) =>
        Text($$"""{"transaction_id":"{{id}}","event_time":"{{Rfc3339(ms)}}","amount_minor":{{amount}},"currency":"EUR","account_id":"a-{{account}}","merchant_id":"m-{{random.Next(3)}}"}""");

    private void Label(string id, long eventMs, int account)
    {
        // Told at most when its time has come, which is when the worker counts it: one that is later is counted when it is told, which nobody can foresee.
        long reportedMs = eventMs + (long)(random.NextDouble() * 5 * Hour);
        string json = Text($$"""{"label_id":"l-{{id}}","transaction_id":"{{id}}","account_id":"a-{{account}}","is_fraud":{{(random.Next(2) == 0 ? "true" : "false")}},"source":"fraud_report","reported_at":"{{Rfc3339(reportedMs)}}","transaction_time":"{{Rfc3339(eventMs)}}"}""");
        labels.Enqueue(Record(isLabel: true, account % partitionCount, account, json), (Math.Max(reportedMs, (long)timeMs), number));
    }

    private InputRecord Record(bool isLabel, int partition, int account, string json) =>
        new(isLabel, partition, new LogRecord(Encoding.UTF8.GetBytes(Text($"a-{account}")), Encoding.UTF8.GetBytes(json), new Headers(), (long)timeMs));
}
