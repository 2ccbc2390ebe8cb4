using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Scoring.Faults.Service;

/// <summary>Sends numbered payments and labels of seeded content at a steady rate until it is told to stop; every record is acknowledged by all replicas.</summary>
/// <remarks>
/// Event time is last year's and runs twenty times as fast as the clock: this is history, where a worker computes every feature exactly, so each is compared.
/// Too many records unacknowledged stop the sending of all, so no partition runs minutes ahead of another.
/// </remarks>
internal sealed class Payments(FaultService service, string bootstrapServers, int seed, int rate)
{
    private const int UnacknowledgedMax = 500;
    private const double Speed = 20;

    /// <summary>Most records of a row that go with one payment.</summary>
    private const int MixedMax = 4;

    /// <summary>The largest record that a row may want; what a topic takes is the topic's setting.</summary>
    private const int RecordBytesMax = 16 << 20;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly DateTimeOffset Start = new(2025, 3, 3, 0, 0, 0, TimeSpan.Zero);

    private readonly Random random = new(seed);
    private readonly PriorityQueue<InputRecord, DateTimeOffset> labels = new();
    private readonly ConcurrentQueue<Func<Moment, InputRecord>> mixed = new();
    private readonly TimeProvider clock = TimeProvider.System;
    private string lastId = "";
    private string lastAccount = "";
    private InputRecord last = new("transactions", "", null);
    private long payments;
    private long mixedSent;
    private int unacknowledged;
    private int refused;

    /// <summary>Transactions acknowledged or on their way.</summary>
    public long Sent { get; private set; }

    /// <summary>Records the brokers would not take: none in a run that counts.</summary>
    public int Refused => refused;

    /// <summary>Transactions among those sent that must be answered by a dead letter.</summary>
    public long Bad { get; private set; }

    /// <summary>Records that a row wants and that are not sent yet.</summary>
    public int MixedDue => mixed.Count;

    /// <summary>Puts records among the next payments.</summary>
    /// <param name="count">How many.</param>
    /// <param name="make">Makes one, on the sending thread.</param>
    public void Mix(int count, Func<Moment, InputRecord> make)
    {
        for (int i = 0; i < count; i++)
        {
            mixed.Enqueue(make);
        }
    }

    /// <summary>Sends until told to stop, then waits for the last acknowledgement.</summary>
    public async Task SendAsync(CancellationToken enough)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 2,
            MessageTimeoutMs = 0,
            MessageMaxBytes = RecordBytesMax,
            Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
        }).SetLogHandler((_, _) => { }).Build();
        using var timer = new PeriodicTimer(Tick);
        long begun = clock.GetTimestamp();
        double due = 0;
        while (!enough.IsCancellationRequested)
        {
            long now = clock.GetTimestamp();
            due = Math.Min(due + (clock.GetElapsedTime(begun, now).TotalSeconds * rate), rate); // What a stalled broker held up is not sent in a rush.
            begun = now;
            for (; due >= 1 && Volatile.Read(ref unacknowledged) < UnacknowledgedMax; due--)
            {
                SendNext(producer);
                for (int i = 0; i < MixedMax && Volatile.Read(ref unacknowledged) < UnacknowledgedMax && mixed.TryDequeue(out var make); i++)
                {
                    Send(producer, make(new Moment($"x{Text(mixedSent++)}", Time, lastId, lastAccount, last)));
                }
            }

            try
            {
                await timer.WaitForNextTickAsync(enough);
            }
            catch (OperationCanceledException)
            {
                // Enough: what was sent is flushed.
            }
        }

        while (producer.Flush(TimeSpan.FromSeconds(1)) > 0)
        {
        }
    }

    private DateTimeOffset Time => Start.AddSeconds(payments * Speed / rate);

    private void SendNext(IProducer<byte[], byte[]> producer)
    {
        var time = Time;
        payments++;
        while (labels.TryPeek(out var label, out var reportedAt) && reportedAt <= time)
        {
            labels.Dequeue();
            Send(producer, label);
        }

        string account = Text(random.Next(40) == 0 ? 0 : random.Next(1_000));
        string id = Text(Sent);
        (lastId, lastAccount) = (id, account);
        var late = time.AddSeconds(random.Next(25) == 0 ? -random.Next(60) : 0);
        int amountMinor = random.Next(90_000);
        string currency = random.Next(10) == 0 ? "JPY" : "EUR";
        last = new InputRecord("transactions", account, PaymentJson.Bytes(PaymentJson.Payment(id, late, account, $"m-{random.Next(40)}", amountMinor, currency)));
        Send(producer, last);
        if (random.Next(4) == 0)
        {
            var reportedAt = late.AddSeconds(random.Next(20) == 0 ? 121 + random.Next(120) : random.Next(90));
            labels.Enqueue(new InputRecord("labels", account, PaymentJson.Bytes(PaymentJson.Label($"l-{id}", id, account, random.Next(3) == 0, reportedAt))), reportedAt);
        }
    }

    private void Send(IProducer<byte[], byte[]> producer, InputRecord record)
    {
        if (string.Equals(record.Topic, "transactions", StringComparison.Ordinal))
        {
            Sent++;
            Bad += record.IsRefused ? 1 : 0;
        }

        var message = new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(record.Key), Value = record.Value! };
        if (record.Headers.Count > 0)
        {
            message.Headers = [];
            foreach (var (name, value) in record.Headers)
            {
                message.Headers.Add(name, Encoding.UTF8.GetBytes(value));
            }
        }

        Interlocked.Increment(ref unacknowledged);
        producer.Produce(service.Topic(record.Topic), message, report =>
        {
            Interlocked.Decrement(ref unacknowledged);
            if (report.Error.IsError)
            {
                Interlocked.Increment(ref refused);
            }
        });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
