using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>What becomes of records when groups, partitions and workers change.</summary>
public sealed class GroupTests(KafkaBroker broker)
{
    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task A_trial_group_does_not_start_on_the_topics_of_the_living_one()
    {
        using var service = await TestService.CreateAsync(broker, partitionCount: 2);
        await service.VerbAsync("replay", service.WriteHistory(200, seed: 11));
        await using (var living = new WorkerRun(service, group: null))
        {
            service.Read("scores", records => records.Count == 200, Bound);
            Assert.Equal(ExitCode.Ok, await living.StopAsync());
        }

        long told = service.Count("aggregates");
        var (exitCode, _, error) = await service.TryVerbAsync("run", "--group", "trial", "--without-model", "--http", "127.0.0.1:0");
        Assert.Equal(ExitCode.Configuration, exitCode);
        Assert.Contains("group fraud.lanes lives on", Assert.Single(error.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Equal(told, service.Count("aggregates"));
        Assert.True(told > 0);
    }

    [Fact]
    public async Task A_worker_that_joins_under_load_repeats_nothing()
    {
        using var service = await TestService.CreateAsync(broker, partitionCount: 4, remembers: false);
        using var load = new Load(service);
        await using var first = new WorkerRun(service, "shared", lanes: 1);
        await first.ReadyAsync(Bound);
        await using (var second = new WorkerRun(service, "shared", lanes: 1))
        {
            while (await second.MetricAsync("fraudscoring_events_scored_total{decision=\"approve\"}", Bound) == 0)
            {
                load.Send(5_000); // Until the group has moved partitions, so that it moves them in the midst of batches.
            }

            service.Read("scores", records => records.Count >= load.Sent, Bound);
            Assert.Equal(ExitCode.Ok, await second.StopAsync());
        }

        Assert.Equal(ExitCode.Ok, await first.StopAsync());
        Assert.Equal(load.Sent, service.Count("scores"));
    }
}
