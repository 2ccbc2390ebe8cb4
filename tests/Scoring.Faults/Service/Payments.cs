using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
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

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly DateTimeOffset Start = new(2025, 3, 3, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Broken = ["", "{", "nothing", "[]", "{\"transaction_id\":7}", "\u00ff\ufffd", "{\"amount_minor\":1e999}"];

    private readonly Random random = new(seed);
    private readonly PriorityQueue<(string Account, string Value), DateTimeOffset> labels = new();
    private readonly TimeProvider clock = TimeProvider.System;
    private int brokenDue;
    private int unacknowledged;
    private int refused;

    /// <summary>Transactions acknowledged or on their way.</summary>
    public long Sent { get; private set; }

    /// <summary>Records the brokers would not take: none in a run that counts.</summary>
    public int Refused => refused;

    /// <summary>Puts broken events among the next payments.</summary>
    public void Break(int count) => Interlocked.Add(ref brokenDue, count);

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
            Partitioner = Partitioner.Murmur2Random,
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

    private void SendNext(IProducer<byte[], byte[]> producer)
    {
        var time = Start.AddSeconds(Sent * Speed / rate);
        while (labels.TryPeek(out var label, out var reportedAt) && reportedAt <= time)
        {
            labels.Dequeue();
            Produce(producer, "labels", label.Account, label.Value);
        }

        string account = Text(random.Next(40) == 0 ? 0 : random.Next(1_000));
        string id = Text(Sent++);
        if (brokenDue > 0 && random.Next(4) == 0)
        {
            Interlocked.Decrement(ref brokenDue);
            Produce(producer, "transactions", account, Broken[random.Next(Broken.Length)]);
            return;
        }

        var late = time.AddSeconds(random.Next(25) == 0 ? -random.Next(60) : 0);
        Produce(producer, "transactions", account, new JsonObject
        {
            ["transaction_id"] = id,
            ["event_time"] = Rfc3339(late),
            ["amount_minor"] = random.Next(90_000),
            ["currency"] = random.Next(10) == 0 ? "JPY" : "EUR",
            ["account_id"] = account,
            ["merchant_id"] = $"m-{random.Next(40)}",
        }.ToJsonString());
        if (random.Next(4) == 0)
        {
            var reportedAt = late.AddSeconds(random.Next(20) == 0 ? 121 + random.Next(120) : random.Next(90));
            labels.Enqueue((account, Label(id, account, reportedAt)), reportedAt);
        }
    }

    private string Label(string id, string account, DateTimeOffset reportedAt) => new JsonObject
    {
        ["label_id"] = $"l-{id}",
        ["transaction_id"] = id,
        ["account_id"] = account,
        ["is_fraud"] = random.Next(3) == 0,
        ["source"] = "fraud_report",
        ["reported_at"] = Rfc3339(reportedAt),
    }.ToJsonString();

    private void Produce(IProducer<byte[], byte[]> producer, string topic, string key, string value)
    {
        Interlocked.Increment(ref unacknowledged);
        producer.Produce(service.Topic(topic), new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value) }, report =>
        {
            Interlocked.Decrement(ref unacknowledged);
            if (report.Error.IsError)
            {
                Interlocked.Increment(ref refused);
            }
        });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Rfc3339(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
