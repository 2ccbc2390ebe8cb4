using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Operations;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A worker begins with the copy of its state on its own disk, and one that is no good costs nothing but time.</summary>
public sealed class CheckpointTests(KafkaBroker broker, TestModel model)
{
    private const int PartitionCount = 2;
    private const int Parts = 60;
    private const int PartCount = 100;

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(150)).Token).Token;

    [Fact]
    public async Task After_a_crash_a_worker_loads_its_checkpoints_and_one_that_joins_fetches_them_first()
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, PartitionCount);
        string[] lines = File.ReadAllLines(service.WriteHistory(Parts * PartCount, seed: 31));
        using var folder = new TestFolder();
        using var http = new HttpDoor(HttpDoor.FreePort());
        using var otherHttp = new HttpDoor(HttpDoor.FreePort());
        int sent = 0;
        await using (var victim = Start(service, folder, "a", http))
        {
            do
            {
                sent += await SendAsync(service, lines, sent);
            }
            while (Files(folder, "a").Count < PartitionCount);
            await victim.KillAsync();
        }

        sent += await SendAsync(service, lines, sent, waits: false);
        Damage(Files(folder, "a")[0]);
        await using var successor = Start(service, folder, "a", http);
        sent += await SendAsync(service, lines, sent);
        var page = await MetricsAsync(http);
        Assert.Equal(1, page["fraudscoring_checkpoints_total{outcome=\"loaded\"}"]);
        Assert.Equal(1, page["fraudscoring_checkpoints_total{outcome=\"refused\"}"]);

        await using var other = Start(service, folder, "b", otherHttp);
        await otherHttp.UntilAsync("/metrics", answer => answer.Status == HttpStatusCode.OK && new MetricsPage(answer.Body).Sum("fraudscoring_state_entries") > 0, Bound);
        Assert.Equal(PartitionCount, Files(folder, "b").Count);
        Assert.Equal(1, (await MetricsAsync(otherHttp))["fraudscoring_checkpoints_total{outcome=\"loaded\"}"]); // Of two partitions it was given one.
        sent += await SendAsync(service, lines, sent);
        Assert.Equal(ExitCode.Ok, await other.TerminateAsync());
        Assert.Equal(ExitCode.Ok, await successor.TerminateAsync());
        Assert.Equal(sent, service.Count("scores"));
        AssertAccountFeatures(service, await service.ScoreFileAsync(service.Write("sent.jsonl", lines[..sent])), sent);
    }

    /// <summary>What a partition alone decides is as a worker that saw everything at once has it. Merchants are not looked at: rows that are sent in parts are answered before the other partition has the next.</summary>
    private static void AssertAccountFeatures(TestService service, Dictionary<string, JsonObject> alone, int sent)
    {
        var scores = service.Read("scores", records => records.Count == sent, Bound).Select(record => JsonNode.Parse(record.Message.Value)!).ToDictionary(score => (string)score["transaction_id"]!, StringComparer.Ordinal);
        Assert.Equal(sent, scores.Count);
        foreach (var (transaction, score) in scores)
        {
            foreach (string feature in new[] { "account_count_1d", "account_mean_7d", "account_gap" })
            {
                Assert.Equal(alone[transaction]["features"]![feature]?.ToJsonString(), score["features"]![feature]?.ToJsonString());
            }
        }
    }

    private static OwnProgram Start(TestService service, TestFolder folder, string instance, HttpDoor http) => OwnProgram.StartWorker(
        ["run", "--definition", service.DefinitionPath, "--bootstrap-servers", service.Broker.BootstrapServers, "--group", service.Topics.Prefix, .. service.ModelArguments, "--emit", "features", "--http", http.EndPoint.ToString(), "--lanes", "1",
        "--set", $"Kafka:InstanceId={instance}", "--set", "Lanes:StateIntervalMs=200", "--set", $"Lanes:CheckpointDirectory={Directory.CreateDirectory(folder.File(instance)).FullName}"]);

    /// <summary>Sends the next part of the history, and waits for its scores.</summary>
    private static async Task<int> SendAsync(TestService service, string[] lines, int sent, bool waits = true)
    {
        Assert.True(sent + PartCount <= lines.Length, "no checkpoint was written in all this time");
        string[] part = lines[sent..(sent + PartCount)];
        await service.VerbAsync("replay", service.Write(string.Create(CultureInfo.InvariantCulture, $"part-{sent}.jsonl"), part));
        if (waits)
        {
            service.Read("scores", records => records.Count >= sent + PartCount, Bound);
        }

        return PartCount;
    }

    private static async Task<MetricsPage> MetricsAsync(HttpDoor http) => new((await http.GetAsync("/metrics", TestContext.Current.CancellationToken)).Body);

    private static List<string> Files(TestFolder folder, string instance) => [.. Directory.EnumerateFiles(folder.File(instance), "*.checkpoint").Order(StringComparer.Ordinal)];

    private static void Damage(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^40] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
