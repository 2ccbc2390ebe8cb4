using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of a broker that does not take everything, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
/// <remarks>It makes the broker refuse the commits of everybody for a while, and wants processors that are not busy elsewhere: so it runs when the other tests are done.</remarks>
[Collection(nameof(Alone))]
public sealed class AlertsOfBrokersTests(KafkaBroker broker, ITestOutputHelper output)
{
    private const string Offsets = "__consumer_offsets";

    [Fact]
    public async Task Scores_commits_and_what_partitions_tell_each_other_are_not_taken()
    {
        broker.SkipUnlessReal("it has no replicas that could be missing");
        using var service = await TestService.HastyAsync(broker, partitionCount: 4);
        await using var scene = new AlertScene(service, output, seed: 62);
        var first = HttpDoor.FreePort();
        var second = HttpDoor.FreePort();
        await scene.WorkerAsync(first, ["--definition", service.DefinitionPath, .. service.ModelArguments]);
        await scene.WorkerAsync(second, ["--definition", service.DefinitionPath, .. service.ModelArguments]);

        // Workers do not hear from each other about merchants.
        string topic = service.Topics["aggregates"];
        await scene.ProvokeAsync(scene.Minutes, () => scene.RefuseWritesAsync(topic), "FraudScoringDegraded");
        await scene.TakeWritesAsync(topic);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDegraded");

        // Offsets are not taken: scoring goes on, progress is not kept.
        await scene.ProvokeAsync(scene.Minutes, () => scene.RefuseWritesAsync(Offsets), "FraudScoringCommitsFail");
        await scene.TakeWritesAsync(Offsets);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringCommitsFail");

        // Scores are not taken: workers stop reading, payments wait, and are late when it goes on.
        topic = service.Topics["scores"];
        await scene.ProvokeAsync(scene.Minutes, () => scene.RefuseWritesAsync(topic), "FraudScoringBacklog", "FraudScoringPartitionStuck");
        await scene.ProvokeAsync(scene.Minutes, () => scene.TakeWritesAsync(topic), "FraudScoringScoresLate");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringBacklog", "FraudScoringPartitionStuck", "FraudScoringScoresLate");
    }

    /// <summary>Tests that no other may run beside.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
