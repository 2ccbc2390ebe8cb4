using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of the trainer and of a device, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
public sealed class AlertsOfTrainersTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    [Fact]
    public async Task Cannot_publish_is_not_alone_is_gone_has_lost_records_reads_the_wrong_topic_and_a_device_is_missing()
    {
        broker.SkipUnlessReal("it has no replicas that could be missing");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var folder = new TestFolder();
        await service.VerbAsync("replay", service.WriteHistory(10_000, seed: 64, start: TimeProvider.System.GetUtcNow().AddDays(-10), accountCount: 4_000));
        await using var scene = new AlertScene(service, output, seed: 64);
        var worker = HttpDoor.FreePort();
        var trainer = HttpDoor.FreePort();
        var other = HttpDoor.FreePort();
        string[] rulesOnly = ["--definition", service.DefinitionPath, "--without-model", "--verification-key", model.KeyPath];
        string[] daily =
        [
            "--key", model.SecretKeyPath, "--verification-key", model.KeyPath, "--schedule", "0 0 * * *", "--settle", "1m", "--training-days", "2", "--judged-days", "2", "--frauds-min", "8",
            "--trees", "20", "--leaves", "6", "--segment-rows", "500", "--segment-age", "1s",
        ];
        string[] watch = [.. daily, "--definition", service.DefinitionPath, "--data", folder.File("trainer")];

        // A build without CUDA is told to score on a device. The models topic takes nothing: the first model, days overdue, stays with the trainer.
        await scene.ProvokeAsync(
            scene.Minutes,
            async () =>
            {
                await scene.RefuseWritesAsync(service.Topics["models"]);
                await scene.WorkerAsync(worker, [.. rulesOnly, "--set", "Serving:ExecutionProvider=cuda"]);
                await scene.TrainerAsync(trainer, watch);
            },
            "FraudScoringDeviceUnused",
            "FraudScoringPublicationStuck",
            "FraudScoringDecisionOverdue");

        // A second trainer decides for itself.
        string[] alone = [.. daily, "--definition", service.DefinitionPath, "--data", folder.File("other"), "--publish-to", folder.File("published")];
        await scene.ProvokeAsync(scene.Minutes, () => scene.TrainerAsync(other, alone), "FraudScoringDecidersNotOne");
        await scene.RetireAsync(PrometheusServer.Trainers, other);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDecidersNotOne");

        await scene.WorkerAsync(worker, rulesOnly);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDeviceUnused");
        await scene.TakeWritesAsync(service.Topics["models"]);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringPublicationStuck", "FraudScoringDecisionOverdue");
        await scene.UntilAsync(worker, "/metrics", page => new MetricsPage(page)["fraudscoring_model_loaded"] == 1);

        // It is killed, and retention takes what it would read next.
        await scene.ProvokeAsync(scene.Minutes, () => scene.KillAsync(trainer), "FraudScoringTrainerDown");
        await scene.ProvokeAsync(
            scene.Minutes,
            async () =>
            {
                await scene.DeleteRecordsAsync("in");
                await scene.TrainerAsync(trainer, watch);
            },
            "FraudScoringHistoryGap");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringTrainerDown");

        // It is started with a definition whose topic nobody writes to.
        string elsewhere = service.WriteDefinition("elsewhere.json", definition => definition.Replace($"\"transactions\": \"{service.Topics["in"]}\"", $"\"transactions\": \"{service.Topics["dlq"]}\"", StringComparison.Ordinal));
        await scene.ProvokeAsync(scene.Minutes, () => scene.TrainerAsync(trainer, [.. daily, "--definition", elsewhere, "--data", folder.File("elsewhere")]), "FraudScoringHistoryStalls");
        await scene.TrainerAsync(trainer, watch);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringHistoryStalls", "FraudScoringHistoryGap");
    }
}
