using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Alerts of what senders do, each provoked and resolved; see <see cref="AlertScene"/> for the clock.</summary>
public sealed class AlertsOfSendersTests(KafkaBroker broker, ITestOutputHelper output)
{
    [Fact]
    public async Task Broken_events_card_numbers_too_many_accounts_no_labels_and_another_share_of_flagged_payments()
    {
        broker.SkipUnlessReal("it forgets what is not read at once");
        using var service = await TestService.NamedAsync(broker, "senders", partitionCount: 2);
        string limited = service.WriteDefinition("limited.json", definition => definition.Replace("\"account\": { \"key\"", "\"account\": { \"keys_max\": 64, \"events_max\": 8192, \"key\"", StringComparison.Ordinal));
        await using var scene = new AlertScene(service, output, seed: 63);
        scene.Traffic.HasLabels = true;
        await scene.WorkerAsync(AlertScene.FreePort(), ["--definition", limited, .. service.ModelArguments]);
        await AlertScene.AnsweredAsync(scene.Days, "job:fraudscoring_labels:increase1d > 0");

        // Labels stop: that is an alert in a day of the slow clock. Meanwhile events are broken, and accounts are more than the state may hold.
        var labelsMissing = scene.ProvokeAsync(scene.Days, () => scene.Traffic.HasLabels = false, "FraudScoringLabelsMissing");
        await scene.ProvokeAsync(
            scene.Minutes,
            () =>
            {
                scene.Traffic.HasBroken = true;
                scene.Traffic.Accounts = 4_000;
            },
            "FraudScoringCardNumbers",
            "FraudScoringDeadLetters",
            "FraudScoringStateAtLimit");
        scene.Traffic.HasBroken = false;
        scene.Traffic.Accounts = 40;
        await scene.ResolveAsync(scene.Minutes, "FraudScoringCardNumbers", "FraudScoringDeadLetters", "FraudScoringStateAtLimit");
        await labelsMissing;
        scene.Traffic.HasLabels = true;
        await scene.ResolveAsync(scene.Days, "FraudScoringLabelsMissing");

        // There is a day before to compare with by now.
        await scene.ProvokeAsync(scene.Days, () => scene.Traffic.IsAllLarge = true, "FraudScoringFlaggedShare");
        scene.Traffic.IsAllLarge = false;
        await scene.ResolveAsync(scene.Days, "FraudScoringFlaggedShare");
    }
}
