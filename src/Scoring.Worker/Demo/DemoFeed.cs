using Confluent.Kafka;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Demo;

/// <summary>Plays the simulated world to the worker: the last weeks of the history as fast as they are scored, then live traffic at its rate.</summary>
/// <remarks>
/// The world is simulated again from the same seed, so it goes on where the recorded history ended. The embedded broker
/// forgets what is not read in time: no more than <see cref="UnansweredMax"/> payments are ever on their way.
/// Labels are acknowledged by the broker before the payments that may know of them are sent.
/// </remarks>
internal sealed class DemoFeed : IDisposable
{
    /// <summary>Most payments sent and not answered. Scores are larger than payments: some 1,500 bytes, in partitions of 5 MB.</summary>
    private const int UnansweredMax = 6_000;

    private const int ChunkMax = 500;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly DemoSchedule schedule;
    private readonly ServiceTopics topics;
    private readonly DemoLedger ledger;
    private readonly DemoScores scores;
    private readonly TimeProvider clock;
    private readonly IProducer<byte[], byte[]> producer;
    private readonly TrafficSimulator simulator;
    private readonly TrafficJsonWriter json;
    private readonly List<(string Topic, Message<byte[], byte[]> Message)> chunk = new(ChunkMax);
    private SimulatedTransaction next;
    private bool isOver;
    private long sent;
    private long timeMs;

    /// <summary>Connects, and simulates up to where the worker's knowledge shall begin.</summary>
    public DemoFeed(DemoSchedule schedule, KafkaClients clients, ServiceTopics topics, DemoLedger ledger, DemoScores scores, TimeProvider clock)
    {
        this.schedule = schedule;
        this.topics = topics;
        this.ledger = ledger;
        this.scores = scores;
        this.clock = clock;
        producer = clients.KeyedProducer();
        simulator = new TrafficSimulator(schedule.Traffic with { End = schedule.LiveEnds });
        json = new TrafficJsonWriter(simulator.World);
        long warmUpMs = schedule.WarmUpBegins.ToUnixTimeMilliseconds();
        do
        {
            isOver = !simulator.Next(ref next);
        }
        while (!isOver && next.EventTimeMs < warmUpMs);
    }

    /// <summary>Payments sent, of the history and live.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>Payments sent and not answered.</summary>
    public long Unanswered => Sent - scores.Count;

    /// <summary>Event time of the last payment sent.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref timeMs));

    /// <summary>Plays the history from where the feed stands to where live traffic begins.</summary>
    public async Task WarmUpAsync(CancellationToken stopping)
    {
        long endMs = schedule.LiveBegins.ToUnixTimeMilliseconds();
        while (!isOver && next.EventTimeMs < endMs)
        {
            await RoomAsync(stopping);
            for (int i = 0; i < ChunkMax && !isOver && next.EventTimeMs < endMs; i++)
            {
                Take(isLive: false);
            }

            Send();
        }
    }

    /// <summary>Plays live traffic at a rate, for a time, or until the simulated time has come to now.</summary>
    public async Task PlayAsync(int rate, TimeSpan length, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        long played = 0;
        using var timer = new PeriodicTimer(Tick, clock);
        for (var elapsed = TimeSpan.Zero; elapsed < length && !isOver && !ledger.IsFull; elapsed = clock.GetElapsedTime(started))
        {
            await RoomAsync(stopping);
            long due = Math.Min((long)(elapsed.TotalSeconds * rate) - played, ChunkMax);
            for (; due > 0 && !isOver && !ledger.IsFull; due--)
            {
                Take(isLive: true);
                played++;
            }

            Send();
            await timer.WaitForNextTickAsync(stopping);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        producer.Dispose();
        json.Dispose();
    }

    private async Task RoomAsync(CancellationToken stopping)
    {
        while (Unanswered > UnansweredMax - ChunkMax)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), clock, stopping);
        }
    }

    private void Take(bool isLive)
    {
        byte[] key = new byte[13];
        Array.Resize(ref key, TrafficJsonWriter.WriteAccountId(next.Account, key));
        chunk.Add((topics.Transactions, new Message<byte[], byte[]> { Key = key, Value = json.Write(next).ToArray() }));
        if (isLive)
        {
            ledger.Note(Facts(next));
        }

        Interlocked.Exchange(ref timeMs, next.EventTimeMs);
        isOver = !simulator.Next(ref next);
    }

    private void Send()
    {
        bool hasLabels = false;
        while (simulator.NextLabel(timeMs, out var label))
        {
            byte[] key = new byte[13];
            Array.Resize(ref key, TrafficJsonWriter.WriteAccountId(label.Account, key));
            producer.Produce(topics.Labels, new Message<byte[], byte[]> { Key = key, Value = json.Write(label).ToArray() });
            hasLabels = true;
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

    private SimulatedTransactionFacts Facts(SimulatedTransaction payment)
    {
        // About: the demo adds up money of four currencies and needs no rate of the day.
        double euros = simulator.World.Merchants.Currencies[payment.Merchant] switch { "GBP" => 1.15, "CHF" => 1.05, "USD" => 0.9, _ => 1 };
        return new SimulatedTransactionFacts(payment.Sequence, payment.Pattern, payment.Campaign, (long)(payment.AmountMinor * euros));
    }
}
