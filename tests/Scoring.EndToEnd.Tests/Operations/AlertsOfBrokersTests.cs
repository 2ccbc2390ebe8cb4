using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of a broker that does not take everything, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
/// <remarks>On an embedded broker of its own, whose answers it changes.</remarks>
public sealed class AlertsOfBrokersTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Commits_and_scores_are_not_taken()
    {
        await using var broker = KafkaBroker.StartEmbedded();
        using var service = await TestService.WithoutMemoryAsync(broker, partitionCount: 2);
        await using var scene = new AlertScene(service, output, seed: 62);
        using var load = new Load(service);
        var worker = AlertScene.FreePort();
        string[] arguments = ["--definition", service.DefinitionPath, .. service.ModelArguments];
        await scene.WorkerAsync(worker, arguments);

        // Offsets are not taken: scoring goes on, progress is not kept.
        await scene.ProvokeAsync(scene.Minutes, broker.Embedded!.RefuseCommits, "FraudScoringCommitsFail");
        broker.Embedded.TakeCommits();
        await scene.ResolveAsync(scene.Minutes, "FraudScoringCommitsFail");

        // Payments come while the worker is gone, then nothing is taken that is written: it stops reading, payments wait.
        await scene.KillAsync(worker);
        load.Send(20_000);
        await scene.ProvokeAsync(
            scene.Minutes,
            () =>
            {
                broker.Embedded.RefuseWrites();
                return scene.WorkerAsync(worker, arguments);
            },
            "FraudScoringBacklog",
            "FraudScoringPartitionStuck");
        broker.Embedded.TakeWrites();
        await scene.ResolveAsync(scene.Minutes, "FraudScoringBacklog", "FraudScoringPartitionStuck");
    }
}
