using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A partition without traffic still has labels, and others read what they say of shared entities.</summary>
public sealed class SilentPartitionTests(KafkaBroker broker, TestModel model)
{
    [Fact]
    public async Task Labels_of_a_silent_partition_count_for_the_others()
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(120));
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();

        // Ten payments at the merchant through partition 0 on the first day, then silence there. All ten are reported as fraud on the third.
        for (int i = 0; i < 10; i++)
        {
            Send("in", 0, Payment($"a-{i}", "quiet", TestHistory.Start.AddMinutes(i)));
            Send("labels", 0, Label($"a-{i}", "quiet", TestHistory.Start.AddDays(2).AddMinutes(i)));
        }

        Send("in", 1, Payment("b-0", "busy", TestHistory.Start));
        producer.Flush(bound.Token);
        await using var worker = new WorkerRun(service, "silent", lanes: 1);
        service.Read("scores", records => records.Count == 11, bound.Token);

        // The others go on: one payment when the reports come, so that they are passed, and one an hour later, when their panes are settled.
        Send("in", 1, Payment("b-1", "busy", TestHistory.Start.AddDays(2).AddMinutes(30)));
        producer.Flush(bound.Token);
        service.Read("scores", records => records.Count == 12, bound.Token);
        await worker.MetricsAsync(page => page.Sum("fraudscoring_labels_total") == 10, bound.Token);
        Send("in", 1, Payment("b-2", "busy", TestHistory.Start.AddDays(2).AddMinutes(90)));
        producer.Flush(bound.Token);

        var scores = service.Read("scores", records => records.Count == 13, bound.Token);
        var last = scores.Select(record => JsonNode.Parse(record.Message.Value)!).Single(score => (string?)score["transaction_id"] == "b-2");
        Assert.Equal(10.0 / 11, (double)last["features"]!["merchant_rate_3d"]!, 1e-9);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());

        void Send(string topic, int partition, (string Key, string Value) record) => producer.Produce(
            new TopicPartition(service.Topics[topic], partition),
            new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(record.Key), Value = Encoding.UTF8.GetBytes(record.Value) });
    }

    private static (string Key, string Value) Payment(string id, string account, DateTimeOffset time) => (account, string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"transaction_id":"{{id}}","event_time":"{{time:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","amount_minor":1000,"currency":"EUR","account_id":"{{account}}","merchant_id":"m-1"}"""));

    private static (string Key, string Value) Label(string id, string account, DateTimeOffset reported) => (account, string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"label_id":"l-{{id}}","transaction_id":"{{id}}","account_id":"{{account}}","is_fraud":true,"source":"chargeback","occurred_at":"{{reported:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","reported_at":"{{reported:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}"}"""));
}
