using Confluent.Kafka;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Demo;

/// <summary>Plays the simulated world to worker and trainer: the history as fast as both read it, then live traffic at its rate; and writes down what it sends.</summary>
/// <remarks>
/// The embedded broker forgets what is not read in time: no more than <see cref="UnansweredMax"/> payments are ever on their way to the
/// worker, no more than <see cref="UnreadMax"/> to the trainer, which reads nothing while it learns.
/// Labels are acknowledged by the broker before the payments that may know of them are sent.
/// </remarks>
internal sealed class DemoFeed : IDisposable
{
    /// <summary>Most payments sent and not answered. Scores are larger than payments: some 1,500 bytes, in partitions of 5 MB.</summary>
    private const int UnansweredMax = 6_000;

    /// <summary>Most payments sent and not read by the trainer: some 600 bytes, in partitions of 5 MB.</summary>
    private const int UnreadMax = 20_000;

    private const int ChunkMax = 500;
    private const int FileBufferBytes = 1 << 20;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly ServiceTopics topics;
    private readonly DemoLedger ledger;
    private readonly DemoScores scores;
    private readonly DemoTrainer trainer;
    private readonly TimeProvider clock;
    private readonly IProducer<byte[], byte[]> producer;
    private readonly TrafficSimulator simulator;
    private readonly TrafficJsonWriter json;
    private readonly FileStream sentTransactions;
    private readonly FileStream sentLabels;
    private readonly List<(string Topic, Message<byte[], byte[]> Message)> chunk = new(ChunkMax);
    private SimulatedTransaction next;
    private bool isOver;
    private long sent;
    private long frauds;
    private long fraudReports;
    private long timeMs;

    /// <summary>Connects, and begins the world.</summary>
    public DemoFeed(DemoSchedule schedule, KafkaClients clients, ServiceTopics topics, DemoFolder folder, DemoLedger ledger, DemoScores scores, DemoTrainer trainer, TimeProvider clock)
    {
        (this.topics, this.ledger, this.scores, this.trainer, this.clock) = (topics, ledger, scores, trainer, clock);
        producer = clients.KeyedProducer();
        simulator = new TrafficSimulator(schedule.Traffic);
        json = new TrafficJsonWriter(simulator.World);
        sentTransactions = new FileStream(folder.Transactions, FileMode.Create, FileAccess.Write, FileShare.Read, FileBufferBytes);
        sentLabels = new FileStream(folder.Labels, FileMode.Create, FileAccess.Write, FileShare.Read, FileBufferBytes);
        isOver = !simulator.Next(ref next);
    }

    /// <summary>Payments sent, of the history and live.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>Those of them that were fraud.</summary>
    public long Frauds => Interlocked.Read(ref frauds);

    /// <summary>Labels sent that report a fraud.</summary>
    public long FraudReports => Interlocked.Read(ref fraudReports);

    /// <summary>Payments sent and not answered.</summary>
    public long Unanswered => Sent - scores.Count;

    /// <summary>Event time of the last payment sent.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref timeMs));

    /// <summary>Plays on as fast as it is read, up to and with the first payment at or behind a time.</summary>
    public async Task HurryAsync(DateTimeOffset through, CancellationToken stopping)
    {
        while (!isOver && Time < through)
        {
            await RoomAsync(stopping);
            for (int i = 0; i < ChunkMax && !isOver && Time < through; i++)
            {
                Take(isLive: false);
            }

            Send();
        }
    }

    /// <summary>Plays on at a rate, up to and with the first payment at or behind a time, or until it is told that this is enough.</summary>
    public async Task PlayAsync(int rate, DateTimeOffset through, Func<bool> isEnough, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        long played = 0;
        using var timer = new PeriodicTimer(Tick, clock);
        while (!isOver && Time < through && !ledger.IsFull && !isEnough())
        {
            await RoomAsync(stopping);
            long due = Math.Min((long)(clock.GetElapsedTime(started).TotalSeconds * rate) - played, ChunkMax);
            for (; due > 0 && !isOver && Time < through && !ledger.IsFull; due--)
            {
                Take(isLive: true);
                played++;
            }

            Send();
            await timer.WaitForNextTickAsync(stopping);
        }
    }

    /// <summary>Closes the files of what was sent.</summary>
    public void Dispose()
    {
        producer.Dispose();
        json.Dispose();
        sentTransactions.Dispose();
        sentLabels.Dispose();
    }

    private async Task RoomAsync(CancellationToken stopping)
    {
        while (Unanswered > UnansweredMax - ChunkMax || Sent - trainer.Payments > UnreadMax - ChunkMax)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), clock, stopping);
        }
    }

    private void Take(bool isLive)
    {
        byte[] payment = json.Write(next).ToArray();
        chunk.Add((topics.Transactions, new Message<byte[], byte[]> { Key = Key(next.Account), Value = payment }));
        WriteLine(sentTransactions, payment);
        if (isLive)
        {
            ledger.Note(Facts(next));
        }

        if (next.Pattern != FraudPattern.None)
        {
            Interlocked.Increment(ref frauds);
        }

        Interlocked.Exchange(ref timeMs, next.EventTimeMs);
        isOver = !simulator.Next(ref next);
    }

    private void Send()
    {
        bool hasLabels = false;
        while (simulator.NextLabel(timeMs, out var label))
        {
            byte[] value = json.Write(label).ToArray();
            producer.Produce(topics.Labels, new Message<byte[], byte[]> { Key = Key(label.Account), Value = value });
            WriteLine(sentLabels, value);
            hasLabels = true;
            if (label.IsFraud)
            {
                Interlocked.Increment(ref fraudReports);
            }
        }

        if (hasLabels)
        {
            producer.Flush(FlushTimeout);
        }

        ledger.Sending();
        foreach (var (topic, message) in chunk)
        {
            producer.Produce(topic, message);
        }

        Interlocked.Add(ref sent, chunk.Count);
        chunk.Clear();
    }

    private static byte[] Key(int account)
    {
        byte[] key = new byte[13];
        Array.Resize(ref key, TrafficJsonWriter.WriteAccountId(account, key));
        return key;
    }

    private static void WriteLine(FileStream file, byte[] line)
    {
        file.Write(line);
        file.WriteByte((byte)'\n');
    }

    private SimulatedTransactionFacts Facts(SimulatedTransaction payment)
    {
        // About: the demo adds up money of four currencies and needs no rate of the day.
        double euros = simulator.World.Merchants.Currencies[payment.Merchant] switch { "GBP" => 1.15, "CHF" => 1.05, "USD" => 0.9, _ => 1 };
        return new SimulatedTransactionFacts(payment.Sequence, payment.EventTimeMs, payment.Pattern, payment.Campaign, (long)(payment.AmountMinor * euros));
    }
}
