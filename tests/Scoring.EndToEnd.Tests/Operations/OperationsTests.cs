using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Events;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>What operators see over HTTP, held against what stands on the topics.</summary>
public sealed class OperationsTests(KafkaBroker broker, TestModel model)
{
    private const int HistoryCount = 800;
    private const int EventCount = HistoryCount + 2;

    // Of an account whose last event is of March 10th.
    private static readonly string[] LateEvents =
    [
        """{"transaction_id":"late-1","event_time":"2025-03-08T00:00:00Z","amount_minor":500,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}""",
        """{"transaction_id":"late-2","event_time":"2025-03-07T00:00:00Z","amount_minor":500,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}""",
    ];

    private static readonly string[] BadEvents =
    [
        "{\"transaction_id\":",
        "[]",
        """{"transaction_id":"b-1","event_time":"2025-03-05T00:00:00Z","amount_minor":-5,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}""",
        """{"transaction_id":"b-2","event_time":"2025-03-05T00:00:00Z","amount_minor":500,"currency":"QQQ","account_id":"a-1","merchant_id":"m-1"}""",
        """{"transaction_id":"b-3","event_time":"2025-03-05T00:00:00Z","amount_minor":500,"currency":"QQQ","account_id":"a-2","merchant_id":"m-1"}""",
        """{"transaction_id":"b-4","event_time":"2025-03-05T00:00:00Z","amount_minor":500,"currency":"EUR","merchant_id":"m-1"}""",
    ];

    private static readonly string[] BadLabels = ["{\"label_id\":", """{"label_id":"l-1","transaction_id":"t-1"}"""];

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task Metrics_agree_with_what_stands_on_the_topics()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        Send(service, "in", BadEvents[..3]);
        Send(service, "labels", BadLabels);
        await service.VerbAsync("replay", service.WriteHistory(HistoryCount, seed: 21));
        Send(service, "in", BadEvents[3..]);
        Send(service, "in", LateEvents, key: "a-1");
        await using var worker = new WorkerRun(service, "metrics", lanes: 1); // A second one that joins meanwhile reads records again, and counts them.
        var scores = service.Read("scores", records => records.Count == EventCount, Bound);
        var letters = service.Read("dlq", records => records.Count == BadEvents.Length + BadLabels.Length, Bound);
        var page = await worker.MetricsAsync(seen => seen.All("fraudscoring_kafka_consumer_lag").Count == 2 && seen.Sum("fraudscoring_kafka_consumer_lag") == 0 && seen["fraudscoring_state_keys_added_total"] > 0, Bound);

        Assert.Empty(page.Faults);

        // In equals out, and each out by its kind.
        double refusedEvents = letters.Count(letter => string.Equals(Header(letter, "__connect.errors.topic"), service.Topics["in"], StringComparison.Ordinal));
        Assert.Equal(service.Count("in"), page[$$"""fraudscoring_events_consumed_total{topic="{{service.Topics["in"]}}"}"""]);
        Assert.Equal(service.Count("in"), page.Sum("fraudscoring_events_scored_total") + refusedEvents);
        Assert.Equal(BadEvents.Length, refusedEvents);
        AssertCounts(page, "fraudscoring_events_scored_total", "decision", scores.Select(record => (string)Json(record)["decision"]!));
        AssertCounts(page, "fraudscoring_events_deadlettered_total", "reason", letters.Select(letter => Header(letter, DeadLetterHeaders.Code)));
        Assert.Equal(service.Count("alerts"), page["fraudscoring_alerts_produced_total"]);
        Assert.Equal(EventCount, page["fraudscoring_score_count"]);
        Assert.Equal(EventCount, page["fraudscoring_inference_batch_size_sum"]);
        Assert.Equal(scores.Sum(record => (double)Json(record)["score"]!), page["fraudscoring_score_sum"], 1e-6);
        Assert.Equal(0, page.Sum("fraudscoring_fallback_total"));

        // A label is taken when a row of its partition comes that is not older than its report; in a partition that has fallen silent, as far as the other has come.
        var lastEvent = scores.GroupBy(record => record.Partition.Value).ToDictionary(partition => partition.Key, partition => partition.Max(record => Time(Json(record), "event_time")));
        long labelCount = service.Count("labels");
        var labels = service.Read("labels", records => records.Count == labelCount, Bound).Where(IsWhole).ToList();
        int labelsDue = labels.Count(record => Time(Json(record), "reported_at") <= lastEvent[record.Partition.Value]);
        int labelsDueAtMost = labels.Count(record => Time(Json(record), "reported_at") <= lastEvent.Values.Max());
        Assert.InRange(labelsDue, EventCount / 2, EventCount);
        Assert.InRange(page.Sum("fraudscoring_labels_total"), labelsDue, labelsDueAtMost);

        // State: every account came once, two events late; each event of the history carries its outcome, which no field of an event names.
        Assert.Equal(scores.Select(record => (string)Json(record)["account_id"]!).Distinct(StringComparer.Ordinal).Count(), page["fraudscoring_state_keys_added_total"]);
        Assert.Equal(LateEvents.Length, page["""fraudscoring_events_late_total{reason="reordered"}"""]);
        Assert.Equal(HistoryCount, page["fraudscoring_event_members_unknown_total"]);
        Assert.Equal(12, page["fraudscoring_shared_entries"]);
        Assert.All(page.All("fraudscoring_state_bytes").Values, bytes => Assert.InRange(bytes, 1, 1e9));
        Assert.Equal(2, page.All("fraudscoring_labels_waiting").Count);

        // Which build and which model.
        Assert.Equal(1, Assert.Single(page.All("fraudscoring_build_info")).Value);
        Assert.Equal(1, Assert.Single(page.All("fraudscoring_model_info")).Value);
        Assert.Equal(1, page["fraudscoring_model_loaded"]);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
    }

    [Fact]
    public async Task A_worker_that_runs_says_so_on_every_page()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await using var worker = new WorkerRun(service, "health");
        await worker.ReadyAsync(Bound);
        foreach (string path in new[] { "/health/live", "/health/startup", "/health/ready" })
        {
            Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await worker.GetAsync(path, Bound));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await worker.GetAsync("/", Bound)).Status);
        Assert.Empty((await worker.MetricsAsync(_ => true, Bound)).Faults);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
    }

    [Fact]
    public async Task What_is_shown_of_a_partition_goes_with_it_to_its_new_owner()
    {
        string[] families = ["fraudscoring_kafka_consumer_lag", "fraudscoring_last_event_timestamp_seconds", "fraudscoring_watermark_timestamp_seconds", "fraudscoring_state_entries", "fraudscoring_state_bytes"];
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        await service.VerbAsync("replay", service.WriteHistory(HistoryCount, seed: 22));
        await using var first = new WorkerRun(service, "shown", lanes: 1);
        await first.MetricsAsync(page => families.All(family => page.All(family).Count == 4), Bound);
        await using var second = new WorkerRun(service, "shown", lanes: 1);
        await second.MetricsAsync(page => page.All(families[0]).Count == 2, Bound);
        await first.MetricsAsync(page => families.All(family => page.All(family).Count == 2), Bound);
        Assert.Equal(ExitCode.Ok, await second.StopAsync());
        Assert.Equal(ExitCode.Ok, await first.StopAsync());
    }

    [Fact]
    public async Task A_worker_that_waits_for_its_broker_is_alive_and_not_ready_and_gives_up_with_69()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 1);
        using var http = new HttpDoor(HttpDoor.FreePort());
        await using var worker = OwnProgram.StartWorker(
            ["run", "--definition", service.DefinitionPath, .. service.ModelArguments, "--bootstrap-servers", "127.0.0.1:1", "--set", "Kafka:StartTimeoutSeconds=5", "--http", http.EndPoint.ToString()]);
        await http.UntilAsync("/health/live", answer => answer.Status == HttpStatusCode.OK, Bound);
        foreach (string path in new[] { "/health/startup", "/health/ready" })
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"status":"failing","problem":"starting"}"""), await http.GetAsync(path, Bound));
        }

        Assert.Equal(ExitCode.Unavailable, await worker.EndAsync());
    }

    /// <summary>Sends values to the partition of their key, or to one partition after the other.</summary>
    private static void Send(TestService service, string topic, string[] values, string? key = null)
    {
        using var producer = new ProducerBuilder<string?, string>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers, Partitioner = Partitioner.Murmur2Random }).Build();
        for (int i = 0; i < values.Length; i++)
        {
            int partition = key is null ? i % service.Topics.PartitionCount : Partition.Any;
            producer.Produce(new TopicPartition(service.Topics[topic], partition), new Message<string?, string> { Key = key, Value = values[i] });
        }

        producer.Flush(TimeSpan.FromSeconds(30));
    }

    private static void AssertCounts(MetricsPage page, string name, string label, IEnumerable<string> met)
    {
        var expected = met.GroupBy(value => value, StringComparer.Ordinal).ToDictionary(group => $$"""{{{label}}="{{group.Key}}"}""", group => (double)group.Count(), StringComparer.Ordinal);
        Assert.Equal(expected.OrderBy(pair => pair.Key, StringComparer.Ordinal), page.All(name).Where(pair => pair.Value > 0).OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    private static bool IsWhole(ConsumeResult<byte[], byte[]> label) => !BadLabels.Contains(Encoding.UTF8.GetString(label.Message.Value), StringComparer.Ordinal);

    private static JsonNode Json(ConsumeResult<byte[], byte[]> record) => JsonNode.Parse(record.Message.Value)!;

    private static DateTimeOffset Time(JsonNode json, string member) => DateTimeOffset.Parse((string)json[member]!, CultureInfo.InvariantCulture);

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
