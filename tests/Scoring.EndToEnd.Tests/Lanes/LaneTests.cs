using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Events;
using Scoring.Models.Tests.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>What the worker promises about its topics, on whatever broker there is.</summary>
public sealed class LaneTests(KafkaBroker broker, TestModel model)
{
    private const int EventCount = 2_000;

    private static readonly string[] LocalFeatures = ["account_count_1d", "account_mean_7d", "account_gap"];

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task Each_transaction_gets_one_score_in_its_own_partition_with_the_values_of_one_reader_of_all()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        string history = service.WriteHistory(EventCount, seed: 1);
        var expected = await service.ScoreFileAsync(history);
        await service.VerbAsync("replay", history);
        await using var worker = new WorkerRun(service, "one");
        var scores = service.Read("scores", records => records.Count == EventCount, Bound);
        Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));

        Assert.Equal(EventCount, service.Count("scores"));
        Assert.Equal(EventCount, expected.Count);
        int alerts = 0;
        int compared = 0;

        // A partition applies labels before its next row: behind its last one, its share of the merchants' known frauds is not told.
        var allSpeakUntil = scores.GroupBy(record => record.Partition.Value).Min(partition => partition.Max(record => TimeOf(JsonNode.Parse(record.Message.Value)!)));
        foreach (var record in scores)
        {
            var score = JsonNode.Parse(record.Message.Value)!.AsObject();
            var wanted = expected[(string)score["transaction_id"]!];
            Assert.Equal(record.Partition.Value, (int)score["source"]!["partition"]!);
            Assert.Equal((string)score["account_id"]!, Encoding.UTF8.GetString(record.Message.Key));
            if (TimeOf(score) <= allSpeakUntil)
            {
                Assert.Equal(Answer(wanted), Answer(score));
                compared++;
            }

            alerts += string.Equals((string)score["decision"]!, "approve", StringComparison.Ordinal) ? 0 : 1;
        }

        Assert.InRange(compared, EventCount * 95 / 100, EventCount);
        Assert.Equal(alerts, service.Count("alerts"));
        Assert.InRange(alerts, EventCount / 50, EventCount / 2);
        Assert.All(scores, AssertBothComponentsAnswered);
        Assert.InRange(scores.Select(record => (double)JsonNode.Parse(record.Message.Value)!["score"]!).Distinct().Count(), EventCount / 2, EventCount);
        var explained = service.Read("alerts", records => records.Count == alerts, Bound).Select(record => JsonNode.Parse(record.Message.Value)!).ToList();
        Assert.All(explained, alert => Assert.NotEmpty(alert["evidence"]!.AsArray()));
        Assert.Contains(explained, alert => alert["reason_codes"]!.AsArray().Any(reason => reason!["contribution"] is not null));
    }

    [Fact]
    public async Task Lanes_and_batch_caps_change_no_byte()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed: 2, withLate: true));
        (int Lanes, int RowsMax)[] ways = [(1, 256), (2, 256), (2, 16), (1, 1)];
        for (int i = 0; i < ways.Length; i++)
        {
            await using var worker = new WorkerRun(service, $"way-{i}", ways[i].Lanes, ways[i].RowsMax);
            service.Read("scores", records => records.Count == EventCount * (i + 1), Bound);
            Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));
        }

        var byTransaction = service.Read("scores", records => records.Count == EventCount * ways.Length, Bound).GroupBy(TransactionOf, StringComparer.Ordinal).ToList();
        Assert.Equal(EventCount, byTransaction.Count);
        AssertSameBytes(byTransaction);
        AssertBothComponentsAnswered(byTransaction[0].First());
        long alertCount = service.Count("alerts");
        var alerts = service.Read("alerts", records => records.Count == alertCount, Bound).GroupBy(TransactionOf, StringComparer.Ordinal).ToList();
        AssertSameBytes(alerts);
        Assert.All(alerts, same => Assert.Equal(ways.Length, same.Count()));
        Assert.InRange(alerts.Count, EventCount / 50, EventCount / 2);
        Assert.All(byTransaction, same =>
        {
            Assert.Equal(ways.Length, same.Count());
            Assert.Single(same.Select(record => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes("ce_id"))).Distinct(StringComparer.Ordinal));
        });
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(20, false)]
    [InlineData(60_000, false)] // Killed before its first commit: all that it told others stands there, all of its input comes again.
    public async Task A_killed_worker_goes_on_with_the_same_bytes(int commitIntervalMs, bool isExactlyOnce)
    {
        if (isExactlyOnce)
        {
            broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        }

        string delivery = isExactlyOnce ? KafkaOptions.ExactlyOnce : KafkaOptions.AtLeastOnce;
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed: 3, withLate: true));
        await using (var victim = OwnProgram.StartWorker(
            ["run", "--definition", service.DefinitionPath, "--bootstrap-servers", broker.BootstrapServers, "--group", "killed", .. service.ModelArguments, "--emit", "features", "--http", "127.0.0.1:0", "--lanes", "2",
            "--set", string.Create(CultureInfo.InvariantCulture, $"Lanes:CommitIntervalMs={commitIntervalMs}"), "--set", $"Kafka:Delivery={delivery}"]))
        {
            service.Read("scores", records => records.Count >= EventCount / 4, Bound);
            await victim.KillAsync();
        }

        await using (var successor = new WorkerRun(service, "killed", lanes: 1, delivery: delivery))
        {
            service.Read("scores", records => records.Select(TransactionOf).Distinct(StringComparer.Ordinal).Count() == EventCount, Bound);
            Assert.Equal(ExitCode.Ok, await successor.StopWhenReadyAsync(Bound));
        }

        long afterRestart = service.Count("scores");
        if (isExactlyOnce)
        {
            Assert.Equal(EventCount, afterRestart);
        }

        await using (var undisturbed = new WorkerRun(service, "undisturbed"))
        {
            service.Read("scores", records => records.Count == afterRestart + EventCount, Bound);
            Assert.Equal(ExitCode.Ok, await undisturbed.StopWhenReadyAsync(Bound));
        }

        var all = service.Read("scores", records => records.Count == afterRestart + EventCount, Bound).GroupBy(TransactionOf, StringComparer.Ordinal).ToList();
        Assert.Equal(EventCount, all.Count);
        AssertSameBytes(all);
        long alertCount = service.Count("alerts");
        var alerts = service.Read("alerts", records => records.Count == alertCount, Bound).GroupBy(TransactionOf, StringComparer.Ordinal).ToList();
        AssertSameBytes(alerts);
        Assert.All(alerts, same => Assert.InRange(same.Count(), 2, isExactlyOnce ? 2 : 3));
    }

    [Fact]
    public async Task Bad_events_go_to_the_dead_letters_and_disturb_no_good_one()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        string history = service.WriteHistory(500, seed: 4);
        File.WriteAllText(history, File.ReadAllText(history).Replace(",\"is_fraud\":true", "", StringComparison.Ordinal).Replace(",\"is_fraud\":false", "", StringComparison.Ordinal));
        var expected = await service.ScoreFileAsync(history);
        var sent = Mix(service, File.ReadAllLines(history));
        await using var worker = new WorkerRun(service, "bad", lanes: 1); // A second one that joins meanwhile repeats dead letters that stand behind rows still waiting.
        var letters = service.Read("dlq", records => records.Count == sent.Count, Bound);
        var scores = service.Read("scores", records => records.Count == 500, Bound);
        Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));

        Assert.Equal(500, service.Count("scores"));
        Assert.Equal(sent.Count, service.Count("dlq"));
        foreach (var record in scores)
        {
            var score = JsonNode.Parse(record.Message.Value)!.AsObject();
            Assert.Equal(expected[(string)score["transaction_id"]!]["features"]!.ToJsonString(), score["features"]!.ToJsonString());
        }

        foreach (var letter in letters)
        {
            var bad = sent[(letter.Partition.Value, long.Parse(Header(letter, "__connect.errors.offset"), CultureInfo.InvariantCulture))];
            Assert.Equal(RefusalTexts.Wire(bad.Code), Header(letter, DeadLetterHeaders.Code));
            Assert.Equal(bad.Field, Header(letter, DeadLetterHeaders.Field));
            Assert.NotEmpty(Header(letter, DeadLetterHeaders.Hint));
            Assert.Equal(service.Topics["in"], Header(letter, "__connect.errors.topic"));
            Assert.DoesNotContain("4111111111111111", letter.Message.Value is null ? "" : Encoding.UTF8.GetString(letter.Message.Value), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Headers_without_end_do_not_make_a_dead_letter_too_large()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 1);
        var headers = new Headers();
        for (int i = 0; i < 12; i++)
        {
            headers.Add($"h-{i}", new byte[60_000]);
        }

        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers }).Build())
        {
            await producer.ProduceAsync(service.Topics["in"], new Message<Null, byte[]> { Value = "{}"u8.ToArray(), Headers = headers }, Bound);
        }

        await using var worker = new WorkerRun(service, "headers");
        var letter = Assert.Single(service.Read("dlq", records => records.Count == 1, Bound));
        Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));
        Assert.Equal("8", Header(letter, DeadLetterHeaders.HeadersTruncated));
        Assert.Equal(["h-0", "h-1", "h-2", "h-3"], letter.Message.Headers.Select(header => header.Key).Where(name => name.StartsWith("h-", StringComparison.Ordinal)));
        Assert.NotEmpty(Header(letter, DeadLetterHeaders.Code));
    }

    /// <summary>More than may wait, and nothing good before them: neither a row nor the end of the partition says that its state is rebuilt.</summary>
    [Fact]
    public async Task A_worker_that_starts_before_more_refused_records_than_may_wait_answers_them_and_goes_on()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 1);
        string history = service.WriteHistory(100, seed: 6);
        byte[] junk = new byte[20_000];
        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers }).Build())
        {
            for (int i = 0; i < 15; i++)
            {
                await producer.ProduceAsync(service.Topics["in"], new Message<Null, byte[]> { Value = junk }, Bound);
            }
        }

        await service.VerbAsync("replay", history, "--without-labels");
        await using var worker = new WorkerRun(service, "junk", refusedBytesMax: 100_000);
        Assert.Equal(100, service.Read("scores", records => records.Count == 100, Bound).Count);
        Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));
        Assert.Equal(15, service.Count("dlq"));
    }

    [Fact]
    public async Task A_group_that_starts_at_the_end_takes_what_was_before_as_history()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        string history = service.WriteHistory(400, seed: 5);
        var expected = await service.ScoreFileAsync(history);
        string[] lines = File.ReadAllLines(history);
        string first = history + ".1.jsonl";
        string second = history + ".2.jsonl";
        File.WriteAllLines(first, lines[..300]);
        File.WriteAllLines(second, lines[300..]);
        await service.VerbAsync("replay", first, "--without-labels");
        await using var worker = new WorkerRun(service, "latest", from: "latest");
        await worker.ReadyAsync(Bound);
        await service.VerbAsync("replay", second, "--without-labels");
        var scores = service.Read("scores", records => records.Count == 100, Bound);
        Assert.Equal(ExitCode.Ok, await worker.StopWhenReadyAsync(Bound));
        Assert.Equal(100, service.Count("scores"));
        Assert.All(scores, record =>
        {
            var score = JsonNode.Parse(record.Message.Value)!.AsObject();
            var wanted = expected[(string)score["transaction_id"]!];
            foreach (string feature in LocalFeatures)
            {
                Assert.Equal(wanted["features"]![feature]?.ToJsonString(), score["features"]![feature]?.ToJsonString());
            }
        });
    }

    /// <summary>Sends the good lines in order with the bad ones between them, to a stated partition each.</summary>
    private Dictionary<(int Partition, long Offset), BadEvent> Mix(TestService service, string[] good)
    {
        var sent = new Dictionary<(int, long), BadEvent>();
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = service.Broker.BootstrapServers,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            MessageMaxBytes = 20_000_000,
        }).Build();
        int next = 0;
        foreach (string line in good)
        {
            var json = JsonNode.Parse(line)!;
            producer.Produce(service.Topics["in"], new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes((string)json["account_id"]!), Value = Encoding.UTF8.GetBytes(line) });
            if (next < BadEvents.All.Count)
            {
                var bad = BadEvents.All[next++];
                if (bad.Value is { Length: > 900_000 } && broker.Kind == BrokerKind.Embedded)
                {
                    continue; // It takes no more: see the decoder's own tests.
                }

                var headers = new Headers();
                foreach (var (name, value) in bad.Headers)
                {
                    headers.Add(name, Encoding.UTF8.GetBytes(value));
                }

                var target = new TopicPartition(service.Topics["in"], next % service.Topics.PartitionCount);
                producer.Produce(target, new Message<byte[], byte[]> { Key = "bad"u8.ToArray(), Value = bad.Value!, Headers = headers }, report =>
                {
                    lock (sent)
                    {
                        sent.Add((report.Partition.Value, report.Offset.Value), bad);
                    }
                });
            }
        }

        producer.Flush(TimeSpan.FromSeconds(30));
        Assert.True(sent.Count >= 60, $"{sent.Count} kinds of bad events were sent");
        return sent;
    }

    private static void AssertSameBytes(List<IGrouping<string, ConsumeResult<byte[], byte[]>>> byTransaction)
    {
        var different = byTransaction.Where(same => same.Select(Timeless).Distinct(StringComparer.Ordinal).Count() > 1).ToList();
        Assert.True(different.Count == 0, $"{different.Count} of {byTransaction.Count} differ, such as\n{string.Join('\n', different.Take(2).SelectMany(same => same.Select(record => $"{record.Offset}: {Timeless(record)}")))}");
    }

    private static void AssertBothComponentsAnswered(ConsumeResult<byte[], byte[]> record)
    {
        var score = JsonNode.Parse(record.Message.Value)!;
        Assert.False((bool)score["degraded"]!, score.ToJsonString());
        Assert.InRange((double)score["component_scores"]!["trees"]!, 0, 1);
        Assert.InRange((double)score["component_scores"]!["network"]!, 0, 1);
    }

    private static DateTimeOffset TimeOf(JsonNode score) => DateTimeOffset.Parse((string)score["event_time"]!, CultureInfo.InvariantCulture);

    /// <summary>A score without what a file and a topic must differ in: times, and where the event stood.</summary>
    private static string Answer(JsonObject score)
    {
        var answer = score.DeepClone().AsObject();
        foreach (string member in new[] { "scored_at", "processing_ms", "source" })
        {
            Assert.True(answer.Remove(member));
        }

        return answer.ToJsonString();
    }

    private static string TransactionOf(ConsumeResult<byte[], byte[]> record) => (string)JsonNode.Parse(record.Message.Value)!["transaction_id"]!;

    /// <summary>The score without the two members that depend on the clock, which stand last.</summary>
    private static string Timeless(ConsumeResult<byte[], byte[]> record)
    {
        string json = Encoding.UTF8.GetString(record.Message.Value);
        return json[..json.IndexOf(",\"scored_at\":", StringComparison.Ordinal)];
    }

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
