using System.Text;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Lanes;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>An event that ends the worker each time it is processed.</summary>
public sealed class CrashSuspectTests(KafkaBroker broker, TestModel model)
{
    private const int EventCount = 600;
    private const int DeathCount = 3;

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Theory]
    [InlineData(KafkaOptions.ExactlyOnce)]
    [InlineData(KafkaOptions.AtLeastOnce)]
    public async Task It_goes_to_the_dead_letters_at_the_fourth_start_and_every_other_one_is_scored(string delivery)
    {
        bool isOnce = string.Equals(delivery, KafkaOptions.ExactlyOnce, StringComparison.Ordinal);
        broker.SkipUnlessReal("it tells no topic's identifier, and keeps no offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var folder = new TestFolder();
        string[] lines = File.ReadAllLines(service.WriteHistory(EventCount, seed: 51));
        await service.VerbAsync("replay", service.Write("all.jsonl", lines));
        string killer = (string)JsonNode.Parse(lines[250])!["transaction_id"]!;
        var planted = new Planted(PlantedBug.None, AbortShare: 0, Seed: 1, Killer: Encoding.UTF8.GetBytes(killer));
        for (int death = 0; death < DeathCount; death++)
        {
            await using var victim = new WorkerRun(service, service.Topics.Prefix, delivery: delivery, planted: planted, crashDirectory: folder.Path);
            Assert.Equal(ExitCode.Internal, await victim.Running.WaitAsync(Bound));
            Assert.Equal(0, service.Count("dlq"));
        }

        await using (var survivor = new WorkerRun(service, service.Topics.Prefix, delivery: delivery, planted: planted, crashDirectory: folder.Path))
        {
            var refused = Assert.Single(service.Read("dlq", records => records.Count == 1, Bound));
            Assert.Equal(RefusalTexts.Wire(RefusalCode.CrashSuspect), Encoding.UTF8.GetString(refused.Message.Headers.GetLastBytes(DeadLetterHeaders.Code)));
            Assert.Equal(lines[250], Encoding.UTF8.GetString(refused.Message.Value));
            Assert.Equal(EventCount - 1, Scored(service, EventCount - 1).Count);
            Assert.Equal(ExitCode.Ok, await survivor.StopAsync());
        }

        // At least once the next worker makes its state of the input, comes to it again and passes it over.
        await using var next = new WorkerRun(service, service.Topics.Prefix, delivery: delivery, planted: planted, crashDirectory: folder.Path);
        await next.ReadyAsync(Bound);
        await service.VerbAsync("replay", service.Write("more.jsonl", [lines[250].Replace(killer, "t-after", StringComparison.Ordinal)]));
        Assert.Equal(EventCount, Scored(service, EventCount).Count);
        Assert.Equal(1, service.Count("dlq"));
        Assert.Equal(ExitCode.Ok, await next.StopAsync());
        var (exitCode, printed, _) = await service.TryVerbAsync(["verify", "--group", service.Topics.Prefix, .. isOnce ? Array.Empty<string>() : ["--allow-duplicates"]]);
        Assert.True(exitCode == ExitCode.Ok, printed);
        Assert.Contains("1 events refused as crash_suspect", printed, StringComparison.Ordinal);
    }

    /// <summary>Identifiers that were scored; at least once some are twice.</summary>
    private static HashSet<string> Scored(TestService service, int count)
    {
        HashSet<string> ids = [];
        service.Read("scores", records => (ids = [.. records.Select(record => (string)JsonNode.Parse(record.Message.Value)!["transaction_id"]!)]).Count >= count, Bound);
        return ids;
    }
}
