using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>Sends a recorded stream day by day: first what is reported in that day, then what is paid.</summary>
/// <remarks>
/// A report that comes early changes nothing: worker and trainer go by <c>reported_at</c>. One that came after a later payment would count later than
/// it did; so reports are acknowledged before the payments of their day are sent.
/// </remarks>
internal sealed class LoopFeed : IDisposable
{
    private const long DayMs = 86_400_000;

    private readonly IReadOnlyList<FedPayment> payments;
    private readonly long reportDelayMs;
    private readonly TestTopics topics;
    private readonly IProducer<byte[], byte[]> producer;
    private int reportIndex;
    private Error? failure;

    /// <summary>Nothing is sent yet.</summary>
    /// <param name="bootstrapServers">Where to send.</param>
    /// <param name="topics">Has <c>transactions</c> and <c>labels</c>.</param>
    /// <param name="payments">The stream, in time order.</param>
    /// <param name="reportDelay">From a fraud to its report.</param>
    public LoopFeed(string bootstrapServers, TestTopics topics, IReadOnlyList<FedPayment> payments, TimeSpan reportDelay)
    {
        (this.topics, this.payments, reportDelayMs) = (topics, payments, (long)reportDelay.TotalMilliseconds);
        producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = 5,
            QueueBufferingMaxMessages = 1_000_000,
        }).Build();
    }

    /// <summary>Payments sent so far: the first of the stream.</summary>
    public int Sent { get; private set; }

    /// <summary>Labels sent so far.</summary>
    public int LabelsSent { get; private set; }

    /// <summary>Sends every payment before a time.</summary>
    public void Until(DateTimeOffset time)
    {
        long untilMs = time.ToUnixTimeMilliseconds();
        while (Sent < payments.Count && payments[Sent].TimeMs < untilMs)
        {
            long dayEndMs = ((payments[Sent].TimeMs / DayMs) + 1) * DayMs;
            Report(dayEndMs);
            for (long endMs = Math.Min(dayEndMs, untilMs); Sent < payments.Count && payments[Sent].TimeMs < endMs; Sent++)
            {
                Send("transactions", payments[Sent].Account, payments[Sent].Json);
            }
        }

        Flush();
    }

    /// <summary>Sends the next payment alone and waits until the broker has it.</summary>
    /// <returns>Its partition.</returns>
    public async Task<int> OneAsync()
    {
        var payment = payments[Sent];
        Report(((payment.TimeMs / DayMs) + 1) * DayMs);
        var written = await producer.ProduceAsync(topics["transactions"], Message(payment.Account, payment.Json), TestContext.Current.CancellationToken);
        Sent++;
        return written.Partition.Value;
    }

    public void Dispose() => producer.Dispose();

    private void Report(long beforeMs)
    {
        bool hasNews = false;
        for (; reportIndex < Sent && payments[reportIndex].TimeMs + reportDelayMs < beforeMs; reportIndex++)
        {
            if (payments[reportIndex] is { IsFraud: true } fraud)
            {
                Send("labels", fraud.Account, string.Create(CultureInfo.InvariantCulture, $$"""{"label_id":"l-{{fraud.Id}}","transaction_id":"{{fraud.Id}}","account_id":"{{fraud.Account}}","is_fraud":true,"source":"fraud_report","transaction_time":"{{Time(fraud.TimeMs)}}","reported_at":"{{Time(fraud.TimeMs + reportDelayMs)}}"{{fraud.LabelMembers}}}"""));
                LabelsSent++;
                hasNews = true;
            }
        }

        if (hasNews)
        {
            Flush();
        }
    }

    private void Send(string topic, string key, string json) =>
        producer.Produce(topics[topic], Message(key, json), report => failure ??= report.Error.IsError ? report.Error : null);

    private void Flush()
    {
        producer.Flush(TestContext.Current.CancellationToken);
        Assert.True(failure is null, $"the broker did not take a record: {failure}");
    }

    private static Message<byte[], byte[]> Message(string key, string json) => new() { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(json) };

    private static string Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
