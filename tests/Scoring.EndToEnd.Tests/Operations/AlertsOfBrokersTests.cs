using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of a broker that does not take everything, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
/// <remarks>It makes the broker refuse the commits of everybody for a while, and wants processors that are not busy elsewhere: so it runs when the other tests are done.</remarks>
[Collection(nameof(Alone))]
public sealed class AlertsOfBrokersTests(KafkaBroker broker, ITestOutputHelper output)
{
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
        await scene.ResolveAsync(scene.Minutes, "FraudScoringScoresLate", "FraudScoringDegraded");

        // Workers do not hear from each other about merchants.
        await scene.RefuseWritesAsync(service.Topics["aggregates"]);
        await scene.FireAsync(scene.Minutes, "FraudScoringDegraded");
        await scene.TakeWritesAsync(service.Topics["aggregates"]);
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDegraded");

        // Offsets are not taken: scoring goes on, progress is not kept.
        await scene.RefuseWritesAsync("__consumer_offsets");
        await scene.FireAsync(scene.Minutes, "FraudScoringCommitsFail");
        await scene.TakeWritesAsync("__consumer_offsets");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringCommitsFail");

        // Scores are not taken: workers stop reading, payments wait, and are late when it goes on.
        await scene.RefuseWritesAsync(service.Topics["scores"]);
        await scene.FireAsync(scene.Minutes, "FraudScoringBacklog", "FraudScoringPartitionStuck");
        await scene.TakeWritesAsync(service.Topics["scores"]);
        await scene.FireAsync(scene.Minutes, "FraudScoringScoresLate");
        await scene.ResolveAsync(scene.Minutes, "FraudScoringBacklog", "FraudScoringPartitionStuck", "FraudScoringScoresLate");
    }

    /// <summary>Tests that no other may run beside.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
