using System.Text;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Models;
using Scoring.Models.Packaging;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of workers that are gone or held up and of the models they score with, each provoked by a real fault and resolved by its end; see <see cref="AlertScene"/> for the clock.</summary>
public sealed class AlertsOfWorkersTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    private const string Channel = "lanes/champion";

    [Fact]
    public async Task Gone_robbed_without_a_model_with_one_that_ends_with_a_forged_one_and_with_another_than_its_neighbour()
    {
        broker.SkipUnlessReal("it deletes no records");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var series = new PackageSeries(model);
        await using var scene = new AlertScene(service, output, seed: 61);
        var first = AlertScene.FreePort();
        await scene.WorkerAsync(first, ["--definition", service.DefinitionPath, .. service.ModelArguments]);

        await scene.UntilAsync(first, "/metrics", page => new MetricsPage(page).Sum("fraudscoring_events_scored_total") > 500); // And so it has committed.

        // The only worker is killed. Retention takes what comes meanwhile. It comes back, without its package.
        await scene.ProvokeAsync(scene.Minutes, () => scene.KillAsync(first), "FraudScoringDown", "FraudScoringWorkerDown");
        await scene.ProvokeAsync(
            scene.Minutes,
            async () =>
            {
                await scene.DeleteRecordsAsync("in");
                await scene.WorkerAsync(first, "--definition", service.DefinitionPath, "--without-model", "--verification-key", model.KeyPath);
            },
            "FraudScoringInputLost",
            "FraudScoringRulesOnly");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDown", "FraudScoringWorkerDown", "FraudScoringInputLost");

        // A package comes, which ends in six days; then one that stays; then one whose signature is wrong, and a good one.
        await scene.ProvokeAsync(scene.Days, () => Publish(series.Package(2, TimeProvider.System.GetUtcNow().AddDays(6))), "FraudScoringModelExpires");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringRulesOnly");
        Publish(series.Package(3));
        await scene.ResolveAsync(scene.Days, "FraudScoringModelExpires");
        byte[] forged = series.Package(4);
        forged[^100] ^= 1;
        await scene.ProvokeAsync(scene.Minutes, () => Publish(forged), "FraudScoringModelRefused");
        Publish(series.Package(4));
        await scene.ResolveAsync(scene.Minutes, "FraudScoringModelRefused");

        // A second worker is set to another models topic, and stays with the package that it was given.
        string elsewhere = service.WriteDefinition("elsewhere.json", definition => definition.Replace(service.Topics["models"], service.Topics["models-of-old"], StringComparison.Ordinal));
        var second = AlertScene.FreePort();
        await scene.ProvokeAsync(scene.Minutes, () => scene.WorkerAsync(second, ["--definition", elsewhere, .. service.ModelArguments]), "FraudScoringModelsDiffer");
        await scene.RetireAsync(PrometheusServer.Workers, second);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringModelsDiffer");

        void Publish(byte[] package) => AlertsOfWorkersTests.Publish(service, package);
    }

    [Fact]
    public async Task Taking_a_package_whose_network_fails_on_what_it_was_not_tested_with()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var series = new PackageSeries(model);
        await using var scene = new AlertScene(service, output, seed: 68);
        scene.Traffic.Accounts = 4; // Of which each pays more often than any that the network was tested with.
        var worker = AlertScene.FreePort();
        await scene.WorkerAsync(worker, ["--definition", service.DefinitionPath, .. service.ModelArguments]);
        await scene.UntilAsync(worker, "/metrics", page => new MetricsPage(page).Sum("fraudscoring_events_scored_total") > 500);

        await scene.ProvokeAsync(scene.Minutes, () => Publish(service, series.NarrowPackage(2)), "FraudScoringDegraded");
        await scene.UntilAsync(worker, "/metrics", page => new MetricsPage(page)["fraudscoring_fallback_total{reason=\"network_failed\"}"] > 0);
        Publish(service, series.Package(3));
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDegraded");
    }

    [Fact]
    public async Task Held_up_again_and_again_so_that_payments_wait()
    {
        // One name, two rules: the one that wakes somebody looks at hours, the other at days.
        const string Page = "FraudScoringScoresLate/page", Ticket = "FraudScoringScoresLate/ticket";
        const int HalfHourIsNineSeconds = 200;
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await using var scene = new AlertScene(service, output, seed: 69, HalfHourIsNineSeconds);
        scene.Traffic.PerTick = 0;
        var worker = AlertScene.FreePort();
        await scene.WorkerAsync(worker, ["--definition", service.DefinitionPath, .. service.ModelArguments]);

        // Counters are seen before they count: of one that begins high, a window that is longer than its life makes too much or too little.
        foreach (var prometheus in new[] { scene.Minutes, scene.Days })
        {
            await AlertScene.AnsweredAsync(prometheus, "fraudscoring_event_latency_seconds_count");
        }

        scene.Traffic.PerTick = 1; // Many batches, so that the few for which a busy machine itself is late are no share of them.

        IAsyncDisposable? held = null;
        await scene.ProvokeAsync(scene.Days, () => scene.ProvokeAsync(scene.Minutes, () => held = scene.HoldUp(worker), Page), Ticket);
        await held!.DisposeAsync();
        await scene.ResolveAsync(scene.Minutes, Page);
        await scene.ResolveAsync(scene.Days, Ticket);
    }

    // By a writer that checks nothing: the publisher of the trainer would not let a forged one pass.
    private static void Publish(TestService service, byte[] package)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = service.Broker.BootstrapServers, MessageMaxBytes = ModelsTopic.RecordBytesMax }).Build();
        producer.Produce(service.Topics["models"], new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(Channel), Value = package });
        producer.Flush(TestContext.Current.CancellationToken);
    }
}
