using System.Text.RegularExpressions;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of the trainer and of a device, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
public sealed class AlertsOfTrainersTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    // Two days are learnt from and two judged: ten are enough for a first model.
    private readonly string[] watch =
    [
        "--key", model.SecretKeyPath, "--verification-key", model.KeyPath, "--schedule", "0 0 * * *", "--settle", "1m", "--training-days", "2", "--judged-days", "2", "--frauds-min", "8",
        "--trees", "20", "--leaves", "6", "--segment-rows", "500", "--segment-age", "1s",
    ];

    [Fact]
    public async Task Cannot_publish_is_overdue_is_not_alone_reads_the_wrong_topic_and_a_device_is_missing()
    {
        await using var own = KafkaBroker.StartEmbedded();
        using var service = await TestService.CreateAsync(own, model, partitionCount: 2);
        using var folder = new TestFolder();
        await service.VerbAsync("replay", service.WriteHistory(10_000, seed: 64, start: TimeProvider.System.GetUtcNow().AddDays(-10), accountCount: 4_000));
        await using var scene = new AlertScene(service, output, seed: 64);
        var worker = AlertScene.FreePort();
        var trainer = AlertScene.FreePort();
        var other = AlertScene.FreePort();
        string[] right = [.. watch, "--definition", service.DefinitionPath, "--data", folder.File("right")];

        // A build without CUDA is told to score on a device.
        string[] rulesOnly = ["--definition", service.DefinitionPath, "--without-model", "--verification-key", model.KeyPath];
        await scene.ProvokeAsync(scene.Minutes, () => scene.WorkerAsync(worker, [.. rulesOnly, "--set", "Serving:ExecutionProvider=cuda"]), "FraudScoringDeviceUnused");
        await scene.WorkerAsync(worker, rulesOnly);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDeviceUnused");

        // A trainer is started with a definition in which two topics are mistaken for each other: nobody writes to the one that it reads.
        string elsewhere = service.WriteDefinition("elsewhere.json", definition => Regex.Replace(
            definition, $"\"{service.Topics["in"]}\"|\"{service.Topics["dlq"]}\"", match => match.Value.EndsWith("dlq\"", StringComparison.Ordinal) ? $"\"{service.Topics["in"]}\"" : $"\"{service.Topics["dlq"]}\"", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await scene.ProvokeAsync(scene.Minutes, () => scene.TrainerAsync(trainer, [.. watch, "--definition", elsewhere, "--data", folder.File("elsewhere")]), "FraudScoringHistoryStalls");

        // The right one: but nothing is taken that is written, so the first model, days overdue, stays with it.
        await scene.ProvokeAsync(
            scene.Minutes,
            () =>
            {
                own.Embedded!.RefuseWrites();
                return scene.TrainerAsync(trainer, right);
            },
            "FraudScoringPublicationStuck",
            "FraudScoringDecisionOverdue");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringHistoryStalls");

        // Another one beside it decides for itself.
        string[] alone = [.. watch, "--definition", service.DefinitionPath, "--data", folder.File("other"), "--publish-to", folder.File("published")];
        await scene.ProvokeAsync(scene.Minutes, () => scene.TrainerAsync(other, alone), "FraudScoringDecidersNotOne");
        await scene.RetireAsync(PrometheusServer.Trainers, other);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDecidersNotOne");

        own.Embedded!.TakeWrites();
        await scene.ResolveAsync(scene.Minutes, "FraudScoringPublicationStuck", "FraudScoringDecisionOverdue");
        await scene.UntilAsync(worker, "/metrics", page => new MetricsPage(page)["fraudscoring_model_loaded"] == 1);
    }

    [Fact]
    public async Task Gone_while_retention_takes_what_it_would_read_next()
    {
        broker.SkipUnlessReal("it deletes no records");
        await model.ReadyAsync();
        using var service = await TestService.NamedAsync(broker, "watched", partitionCount: 2);
        using var folder = new TestFolder();
        await using var scene = new AlertScene(service, output, seed: 66);
        var trainer = AlertScene.FreePort();
        string[] right = [.. watch, "--definition", service.DefinitionPath, "--data", folder.File("right")];
        await scene.TrainerAsync(trainer, right);
        await scene.UntilAsync(trainer, "/metrics", page => new MetricsPage(page).Sum("fraudscoring_trainer_history_bytes") > 0);

        await scene.ProvokeAsync(scene.Minutes, () => scene.KillAsync(trainer), "FraudScoringTrainerDown");
        await scene.ProvokeAsync(
            scene.Minutes,
            async () =>
            {
                await scene.DeleteRecordsAsync("in");
                await scene.TrainerAsync(trainer, right);
            },
            "FraudScoringHistoryGap");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringTrainerDown", "FraudScoringHistoryGap");
    }
}
