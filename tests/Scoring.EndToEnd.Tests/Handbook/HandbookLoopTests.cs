using System.Globalization;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Learning;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Tests;
using Scoring.Trainer.Commands;
using Scoring.Trainer.History;
using Scoring.Trainer.Training;
using Scoring.Trainer.Watching;

namespace Scoring.EndToEnd.Tests.Handbook;

/// <summary>The loop on recorded data: a worker scores day after day, frauds are reported a week later, the trainer retrains each Monday.</summary>
/// <remarks>
/// <para>Half of the customers, days 28 to 91, all models learn from 7 days. <c>FRAUDSCORING_HANDBOOK=whole</c>: all customers, days 0 to 105, all models
/// learn from 28 days; <c>FRAUDSCORING_HANDBOOK_FIRST_DAYS=7</c> lets the first one learn from so many.</para>
/// <para>The stream stops at each Monday until the trainer has decided and the worker has taken what was promoted: who scores what depends on
/// the days alone, but for the few payments of Monday, one o'clock, that tell the trainer that it is time.</para>
/// </remarks>
public sealed class HandbookLoopTests(KafkaBroker broker, ITestOutputHelper output)
{
    private const int PartitionCount = 4;
    private const int WeekCount = 4;
    private const int WeekDays = 7;
    private const double ScoreTolerance = 1e-6;

    // As the worker's verb replay reports: so long before a week is over that a label counts exactly then, although shared entities need to settle.
    private static readonly TimeSpan ReportDelay = TimeSpan.FromDays(7) - TimeSpan.FromSeconds(71);
    private static readonly TimeSpan Settle = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_month_with_late_labels_and_weekly_retraining_loses_nothing_and_each_score_is_of_the_package_it_names()
    {
        broker.SkipUnlessReal("it drops messages past 5 MB per partition");
        string transactions = RepositoryFiles.Shared("data/handbook/transactions.csv.gz");
        bool whole = string.Equals(Environment.GetEnvironmentVariable("FRAUDSCORING_HANDBOOK"), "whole", StringComparison.Ordinal);
        var days = whole ? new LoopDays(FirstDay: 0, TrainingDays: 28) : new LoopDays(FirstDay: 28, TrainingDays: 7);
        int firstTrainingDays = int.TryParse(Environment.GetEnvironmentVariable("FRAUDSCORING_HANDBOOK_FIRST_DAYS"), NumberStyles.None, CultureInfo.InvariantCulture, out int chosen) ? chosen : days.TrainingDays;
        using var folder = new TestFolder();
        string recorded = folder.File("recorded.csv.gz"), data = folder.File("trainer"), key = folder.File("key");
        var payments = HandbookFile.Copy(transactions, recorded, days.FirstDay, days.EndDay - 1, customer => whole || customer % 2 == 0).ConvertAll(Payment);
        var topics = await broker.CreateTopicsAsync("weeks", PartitionCount, new Dictionary<string, string>(StringComparer.Ordinal) { ["max.message.bytes"] = "16777216" }, [.. DefinitionFiles.TopicNames, "models"]);
        string definition = DefinitionFiles.Write(folder, "handbook.json", topics, change => ((JsonObject)change["topics"]!)["models"] = topics["models"]);
        string history = await BeginAsync(folder, definition, recorded, key, days, firstTrainingDays);

        // 1. Day after day; each Monday the stream waits for the decision and the swap.
        await using var programs = new LoopPrograms(broker.BootstrapServers, definition, key, data, topics.Prefix, ["--training-days", Text(days.TrainingDays), "--judged-days", Text(WeekDays), "--network", "off"]);
        programs.StartWorker();
        programs.StartWatch();
        using var feed = new LoopFeed(broker.BootstrapServers, topics, payments, ReportDelay);
        using var scores = new ScoreLog(broker.BootstrapServers, topics);
        var decisions = new List<WatchDecision>();
        foreach (var monday in days.Mondays)
        {
            feed.Until(monday + Settle);
            scores.Until(feed.Sent, programs.Worker);
            await AwakenAsync(feed);
            decisions.Add(await programs.DecisionAsync(monday));
            if (decisions[^1] is { Outcome: "promoted", Sequence: { } sequence })
            {
                await programs.SwappedAsync(sequence);
            }

            scores.Until(feed.Sent, programs.Worker);
            await AwakenAsync(feed);
        }

        feed.Until(DateTimeOffset.MaxValue);
        scores.Until(feed.Sent, programs.Worker);
        Assert.Equal(0, await programs.Watch.TerminateAsync());
        Assert.Equal(0, await programs.Worker.TerminateAsync());
        scores.ToEnd();

        // 2. Everything once, each score that of the package it names.
        Assert.Equal(payments.Count, feed.Sent);
        Assert.Equal(payments.Count, scores.Scores.Count);
        Assert.Empty(scores.Repeated);
        Assert.Equal(0, scores.Marked);
        using var packages = await PublishedPackages.ReadAsync(broker, definition, key + ".pub.pem");
        var promoted = decisions.Where(decision => string.Equals(decision.Outcome, "promoted", StringComparison.Ordinal)).Select(decision => decision.ChallengerSha256!);
        Assert.Equal(promoted.Prepend(packages.InOrder[0].Sha256), packages.InOrder.Select(package => package.Sha256));
        Assert.Equal(packages.InOrder.Select(package => package.Sha256).Order(StringComparer.Ordinal), scores.Scores.Values.Select(score => score.PackageSha256).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        var service = CommonOptions.ReadDefinition(definition);
        var plan = FeaturePlan.Compile(service, EventSchema.From(service));
        var table = await FeatureTables.ReadAsync(service, plan, history, new TimeWindow(At(days.FirstDay), At(days.EndDay)), (_, _) => { }, TestContext.Current.CancellationToken);
        double worst = packages.LargestDifference(table, scores, Enumerable.Range(0, table.Count));

        // 3. The weeks.
        foreach (var decision in decisions)
        {
            output.WriteLine($"{decision.At:yyyy-MM-dd}: {decision.Outcome}: {decision.Reason}");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{payments.Count} transactions in, {scores.Scores.Count} scores out, by {packages.InOrder.Count} packages; largest difference to the offline score of the package named {worst:0.0e0}"));
        output.WriteLine(HandbookWeek.Heads);
        foreach (var monday in days.Mondays)
        {
            output.WriteLine(Judge(monday, WeekDays).ToString());
        }

        output.WriteLine($"{Judge(days.Mondays[0], WeekCount * WeekDays)} (all)");
        Assert.True(worst <= ScoreTolerance);

        HandbookWeek Judge(DateTimeOffset first, int dayCount) => HandbookWeek.Judge(first, dayCount, table, scores, packages.InOrder[0], (long)service.Labels.Delay.TotalMilliseconds);
    }

    // The first package: learnt from what was known a week before the first Monday, by the trainer's own recipe.
    private async Task<string> BeginAsync(TestFolder folder, string definition, string recorded, string key, LoopDays days, int trainingDays)
    {
        string history = folder.File("history"), package = folder.File("first.fsmodel");
        int knownUntil = days.FirstMonday - WeekDays - WeekDays, learntUntil = knownUntil - WeekDays;
        await OwnProgram.TrainerAsync("models", "keygen", "--output", key);
        await OwnProgram.TrainerAsync("import", "--definition", definition, "--input", recorded, "--output", history);
        await OwnProgram.TrainerAsync(
            "train", "--definition", definition, "--history", history, "--from", Day(learntUntil - trainingDays), "--to", Day(learntUntil), "--calibrate-from", Day(learntUntil), "--calibrate-to", Day(knownUntil),
            "--network", "off", "--output", package, "--key", key + ".key.pem");
        await OwnProgram.TrainerAsync("models", "publish", package, "--definition", definition, "--bootstrap-servers", broker.BootstrapServers, "--verification-key", key + ".pub.pem");
        return history;
    }

    private static FedPayment Payment(HandbookRow row) => new(
        Text(row.Id),
        HandbookFile.Epoch.AddSeconds(row.Seconds).ToUnixTimeMilliseconds(),
        Text(row.Customer),
        string.Create(CultureInfo.InvariantCulture, $$"""{"TRANSACTION_ID":{{row.Id}},"TX_TIME_SECONDS":{{row.Seconds}},"CUSTOMER_ID":{{row.Customer}},"TERMINAL_ID":{{row.Terminal}},"TX_AMOUNT":{{row.Amount}}}"""),
        string.Create(CultureInfo.InvariantCulture, $$""","terminal_id":"{{row.Terminal}}" """),
        row.IsFraud);

    private static async Task AwakenAsync(LoopFeed feed)
    {
        var seen = new HashSet<int>();
        while (seen.Count < PartitionCount)
        {
            seen.Add(await feed.OneAsync());
        }
    }

    private static string Day(int day) => HandbookFile.Epoch.AddDays(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static long At(int day) => HandbookFile.Epoch.AddDays(day).ToUnixTimeMilliseconds();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Which days.</summary>
    /// <param name="FirstDay">First of the stream, a Sunday; days are counted as in the data.</param>
    /// <param name="TrainingDays">Days that each model learns from.</param>
    private sealed record LoopDays(int FirstDay, int TrainingDays)
    {
        // Needed before a decision: days learnt from by the model and, as much earlier, by its calibration's twin; days judged; twice the delay.
        public int FirstMonday => FirstDay + 1 + (2 * TrainingDays) + (3 * WeekDays);

        public int EndDay => FirstMonday + (WeekCount * WeekDays);

        public IReadOnlyList<DateTimeOffset> Mondays => [.. Enumerable.Range(0, WeekCount).Select(week => HandbookFile.Epoch.AddDays(FirstMonday + (week * WeekDays)))];
    }
}
