using System.Text;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Models.Events;
using Scoring.Worker.Commands;
using Scoring.Worker.Lanes;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>An event that ends the worker each time it is processed.</summary>
public sealed class CrashSuspectTests(KafkaBroker broker, TestModel model)
{
    private const int EventCount = 600;
    private const int StartsMax = 8;

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task It_goes_to_the_dead_letters_after_some_starts_and_every_other_one_is_scored_once()
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        string history = service.WriteHistory(EventCount, seed: 51);
        await service.VerbAsync("replay", history);
        var planted = new Planted(PlantedBug.None, AbortShare: 0, Seed: 1, Killer: "t-250"u8.ToArray());
        int starts = 0;
        for (bool isOver = false; !isOver; starts++)
        {
            Assert.True(starts < StartsMax, $"after {starts} starts it still ends the worker");
            await using var worker = new WorkerRun(service, service.Topics.Prefix, planted: planted);
            var letter = Task.Run(() => service.Read("dlq", records => records.Count == 1, Bound), TestContext.Current.CancellationToken);
            isOver = await Task.WhenAny(worker.Running, letter) == letter;
            if (isOver)
            {
                service.Read("scores", records => records.Count == EventCount - 1, Bound);
                Assert.Equal(ExitCode.Ok, await worker.StopAsync());
            }
        }

        Assert.InRange(starts, 4, 6);
        var refused = Assert.Single(service.Read("dlq", records => records.Count == 1, Bound));
        Assert.Equal(RefusalTexts.Wire(RefusalCode.CrashSuspect), Encoding.UTF8.GetString(refused.Message.Headers.GetLastBytes(DeadLetterHeaders.Code)));
        Assert.Equal("t-250", (string)JsonNode.Parse(refused.Message.Value)!["transaction_id"]!);
        Assert.Equal(EventCount - 1, service.Count("scores"));
        var (exitCode, printed, _) = await service.TryVerbAsync("verify", "--group", service.Topics.Prefix);
        Assert.True(exitCode == ExitCode.Ok, printed);
        Assert.Contains("1 events refused as crash_suspect", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_that_come_and_go_without_getting_anywhere_refuse_nothing()
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed: 52));
        for (int i = 0; i < 6; i++)
        {
            await using var hasty = new WorkerRun(service, service.Topics.Prefix, planted: new Planted(PlantedBug.None, AbortShare: 0.7, Seed: i));
            await hasty.ReadyAsync(Bound);
            Assert.True(await hasty.StopAsync() is ExitCode.Ok or ExitCode.Unavailable); // What is taken back again and again may not be committed in time.
        }

        await using var worker = new WorkerRun(service, service.Topics.Prefix);
        service.Read("scores", records => records.Count == EventCount, Bound);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
        Assert.Equal(0, service.Count("dlq"));
    }
}
