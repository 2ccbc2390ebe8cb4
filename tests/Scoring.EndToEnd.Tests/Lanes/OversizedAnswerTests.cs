using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Models.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>Events whose answers a topic does not take: a transaction with one of them is aborted however often it is done again.</summary>
public sealed class OversizedAnswerTests(KafkaBroker broker)
{
    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task They_go_to_the_dead_letters_and_every_other_one_is_scored()
    {
        broker.SkipUnlessReal("it takes records of any size, and keeps no offsets that are committed in a transaction");
        using var service = await TestService.NamedAsync(broker, "oversized", partitionCount: 2);
        await TakeAtMostAsync(service.Topics["alerts"], 200); // No alert is as small.
        await TakeAtMostAsync(service.Topics["dlq"], 8_000);
        string[] lines = File.ReadAllLines(service.WriteHistory(1_200, seed: 52));
        var byAlert = lines.ToLookup(line => (int)JsonNode.Parse(line)!["amount_minor"]! > 19_000);
        List<string> sent = [.. byAlert[false], .. byAlert[true].Take(4)];
        int scored = byAlert[false].Count();
        sent = [.. sent.OrderBy(line => (string)JsonNode.Parse(line)!["event_time"]!, StringComparer.Ordinal)];
        byte[] noise = new byte[20_000];
        new Random(1).NextBytes(noise);
        string bad = lines[0].Replace("\"t-0\"", "\"t-bad\"", StringComparison.Ordinal).Replace("\"EUR\"", $"\"EUR\",\"amount_minor\":1,\"note\":\"{Convert.ToHexString(noise)}\"", StringComparison.Ordinal);
        sent.Insert(sent.Count / 2, bad);
        await service.VerbAsync("replay", service.Write("sent.jsonl", sent));

        await using var worker = new WorkerRun(service, service.Topics.Prefix, lanes: 1, delivery: KafkaOptions.ExactlyOnce);
        var refused = service.Read("dlq", records => records.Count == 5, Bound);
        var ids = service.Read("scores", records => records.Count == scored, Bound).Select(record => (string)JsonNode.Parse(record.Message.Value)!["transaction_id"]!);
        Assert.Equal(byAlert[false].Select(Id).Order(StringComparer.Ordinal), ids.Order(StringComparer.Ordinal));
        Assert.Equal(byAlert[true].Take(4).Order(StringComparer.Ordinal), refused.Where(record => Code(record) == RefusalCode.AnswerTooLarge).Select(record => Encoding.UTF8.GetString(record.Message.Value)).Order(StringComparer.Ordinal));
        var bare = Assert.Single(refused, record => Code(record) == RefusalCode.DuplicateMember);
        Assert.Empty(bare.Message.Value);
        Assert.Equal(FormattableString.Invariant($"{bad.Length}"), Encoding.UTF8.GetString(bare.Message.Headers.GetLastBytes(DeadLetterHeaders.OriginalSize)));
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
        Assert.Equal(0, service.Count("alerts"));

        // What came before them, between them and after them is what it would have been had they been answered; they count as all others do.
        await using (var next = new WorkerRun(service, service.Topics.Prefix, delivery: KafkaOptions.ExactlyOnce))
        {
            await next.ReadyAsync(Bound);
            await service.VerbAsync("replay", service.Write("more.jsonl", [byAlert[false].Last().Replace(Id(byAlert[false].Last()), "t-after", StringComparison.Ordinal)]));
            service.Read("scores", records => records.Count == scored + 1, Bound);
            Assert.Equal(ExitCode.Ok, await next.StopAsync());
        }

        var (exitCode, printed, _) = await service.TryVerbAsync(["verify", "--group", service.Topics.Prefix]);
        Assert.True(exitCode == ExitCode.Ok, printed);
        Assert.Contains("4 events with dead letters in place of their answers (answer_too_large)", printed, StringComparison.Ordinal);
    }

    private static string Id(string line) => (string)JsonNode.Parse(line)!["transaction_id"]!;

    private static RefusalCode Code(ConsumeResult<byte[], byte[]> record)
    {
        string wire = Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(DeadLetterHeaders.Code));
        return Enum.GetValues<RefusalCode>().Single(code => string.Equals(RefusalTexts.Wire(code), wire, StringComparison.Ordinal));
    }

    private async Task TakeAtMostAsync(string topic, int bytes)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = topic }] =
                [new ConfigEntry { Name = "max.message.bytes", Value = FormattableString.Invariant($"{bytes}"), IncrementalOperation = AlterConfigOpType.Set }],
        });
    }
}
