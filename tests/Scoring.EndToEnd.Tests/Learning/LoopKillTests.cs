using System.Globalization;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>Worker and trainer are killed at random moments of the loop; what they leave behind must be what they leave undisturbed.</summary>
public sealed class LoopKillTests(KafkaBroker broker, ITestOutputHelper output) : IDisposable
{
    private const int PartitionCount = 3;
    private const int KillCount = 20;
    private const int Seed = 20;

    // While payments flow the worker commits every 100 ms; what it scored since is scored again. A decision takes the trainer some seconds.
    private const int FeedingDelayMsMax = 100;
    private const int DecidingDelayMsMax = 3_000;

    // Mondays and Thursdays. Learnt from 8 days, a twin 10 days earlier, judged on 5 days, all older than the label delay of 2: nothing can be judged before day 25.
    private static readonly int[] DecisionDays = [28, 31, 35, 38, 42, 45, 49, 52];

    private static readonly TimeSpan Settle = TimeSpan.FromHours(1);
    private static readonly string[] WatchOptions =
    [
        "--schedule", "0 0 * * 1,4", "--training-days", "8", "--judged-days", "5", "--frauds-min", "8", "--network", "off", "--trees", "20", "--leaves", "6", "--bins", "500", "--segment-rows", "700",
    ];

    private readonly TestFolder folder = new();
    private readonly List<FedPayment> payments = LoopShop.Payments();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Killed_twenty_times_the_loop_has_published_recorded_and_scored_what_an_undisturbed_one_has()
    {
        broker.SkipUnlessReal("how a broker's groups take a kill is part of what is shown");
        string key = folder.File("key");
        await OwnProgram.TrainerAsync("models", "keygen", "--output", key);
        await MakeFirstPackageAsync(key);
        var kills = Draw(new Random(Seed));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {string.Join(", ", kills)}"));

        await using var undisturbed = await RunAsync("undisturbed", key, []);
        await using var killed = await RunAsync("killed", key, kills);

        // 1. The trainer: decisions, packages, history.
        Assert.Equal(undisturbed.Decisions, killed.Decisions);
        Assert.Equal(undisturbed.Packages, killed.Packages);
        Assert.Equal(undisturbed.History, killed.History);
        Assert.True(undisturbed.Packages.Count > 2, "the loop promoted less than two packages: nothing to disturb");

        // 2. The worker. A payment that makes a time due may be scored before or after the swap that follows; all others by one package, whatever happened.
        var triggers = undisturbed.Triggers.ToHashSet(StringComparer.Ordinal);
        Assert.Equal(triggers, killed.Triggers.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(payments.Count, undisturbed.Scores.Scores.Count);
        Assert.Equal(payments.Count, killed.Scores.Scores.Count);
        Assert.Empty(undisturbed.Scores.Repeated);
        Assert.Equal(0, undisturbed.Scores.Marked + killed.Scores.Marked);
        foreach (string id in payments.Select(payment => payment.Id).Where(id => !triggers.Contains(id)))
        {
            Assert.Equal((id, undisturbed.Scores.Scores[id]), (id, killed.Scores.Scores[id]));
        }

        Assert.All(killed.Scores.Repeated.Where(score => !triggers.Contains(score.Id)), repeated => Assert.Equal(killed.Scores.Scores[repeated.Id], repeated.Score));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kills.Count(kill => kill.IsWorker)} kills of the worker, {kills.Count(kill => !kill.IsWorker)} of the trainer: {killed.Decisions.Count} decisions, {killed.Packages.Count} packages and {killed.History.Count} lines of history as undisturbed; {payments.Count} payments scored, {killed.Scores.Repeated.Count} of them again, with equal scores"));
    }

    private static List<Kill> Draw(Random random)
    {
        var kills = Enumerable.Range(0, KillCount)
            .Select(_ => random.Next(3) == 0
                ? new Kill(DecisionDays[random.Next(DecisionDays.Length)], random.NextDouble(), IsWorker: random.Next(2) == 0, random.Next(FeedingDelayMsMax))
                : new Kill(DecisionDays[random.Next(DecisionDays.Length)], Kill.Deciding, IsWorker: random.Next(2) == 0, random.Next(DecidingDelayMsMax)))
            .OrderBy(kill => (kill.Day, kill.Moment));
        return [.. kills];
    }

    // One tree of two leaves: surely not the last word.
    private async Task MakeFirstPackageAsync(string key)
    {
        string definition = folder.File("first.json"), events = folder.File("events.jsonl"), history = folder.File("history");
        await File.WriteAllTextAsync(definition, LoopShop.Definition(new TestTopics("first", PartitionCount)), TestContext.Current.CancellationToken);
        LoopShop.Write(events, payments);
        await OwnProgram.TrainerAsync("import", "--definition", definition, "--input", events, "--output", history);
        await OwnProgram.TrainerAsync(
            "train", "--definition", definition, "--history", history, "--from", "2024-01-02", "--to", "2024-01-10", "--calibrate-from", "2024-01-10", "--calibrate-to", "2024-01-17",
            "--network", "off", "--trees", "1", "--leaves", "2", "--output", folder.File("first.fsmodel"), "--key", key + ".key.pem");
    }

    private async Task<Outcome> RunAsync(string name, string key, IReadOnlyList<Kill> kills)
    {
        var topics = await broker.CreateTopicsAsync($"loop-{name}", PartitionCount, new Dictionary<string, string>(StringComparer.Ordinal) { ["max.message.bytes"] = "16777216" }, [.. DefinitionFiles.TopicNames, "models"]);
        string definition = folder.File(name + ".json"), data = folder.File(name);
        await File.WriteAllTextAsync(definition, LoopShop.Definition(topics), TestContext.Current.CancellationToken);
        await OwnProgram.TrainerAsync("models", "publish", folder.File("first.fsmodel"), "--definition", definition, "--bootstrap-servers", broker.BootstrapServers, "--verification-key", key + ".pub.pem");
        await using var programs = new LoopPrograms(broker.BootstrapServers, definition, key, data, topics.Prefix, WatchOptions);
        programs.StartWorker();
        programs.StartWatch();
        using var feed = new LoopFeed(broker.BootstrapServers, topics, payments, LoopShop.ReportDelay);
        using var committed = new CommittedOffsets(broker.BootstrapServers, topics, topics.Prefix);
        var scores = new ScoreLog(broker.BootstrapServers, topics);
        var triggers = new List<string>();
        var fedUntil = LoopShop.Start;
        foreach (int day in DecisionDays)
        {
            var time = LoopShop.Start.AddDays(day);
            foreach (var kill in kills.Where(kill => kill.Day == day && kill.Moment < Kill.Deciding))
            {
                feed.Until(fedUntil + (kill.Moment * (time + Settle - fedUntil)));
                await KillAsync(programs, kill);
            }

            fedUntil = time + Settle;
            feed.Until(fedUntil);
            scores.Until(feed.Sent, programs.Worker);
            await committed.UntilAsync(feed.Sent, programs.Worker);

            triggers.Add(payments[feed.Sent].Id);
            await feed.OneAsync();
            foreach (var kill in kills.Where(kill => kill.Day == day && kill.Moment == Kill.Deciding))
            {
                await KillAsync(programs, kill);
            }

            if (await programs.DecisionAsync(time) is { Outcome: "promoted", Sequence: { } sequence })
            {
                await programs.SwappedAsync(sequence);
            }
        }

        feed.Until(DateTimeOffset.MaxValue);
        scores.Until(feed.Sent, programs.Worker);
        await committed.UntilAsync(feed.Sent, programs.Worker);
        var history = await programs.EndWatchAsync(feed.Sent + feed.LabelsSent);
        Assert.Equal(0, await programs.Worker.TerminateAsync());
        scores.ToEnd();
        using var packages = await PublishedPackages.ReadAsync(broker, definition, key + ".pub.pem");
        return new(
            [.. Directory.EnumerateFiles(Path.Combine(data, "decisions")).Order(StringComparer.Ordinal).Select(File.ReadAllText)],
            [.. packages.InOrder.Select(package => package.Sha256)],
            history,
            triggers,
            scores);
    }

    private static async Task KillAsync(LoopPrograms programs, Kill kill)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(kill.DelayMs), TimeProvider.System, TestContext.Current.CancellationToken);
        await (kill.IsWorker ? programs.KillWorkerAsync() : programs.KillWatchAsync());
    }

    /// <summary>SIGKILL of one of the two.</summary>
    /// <param name="Day">The decision day on the way to which, or on which, it comes.</param>
    /// <param name="Moment">Share of the payments on the way there that are sent; <see cref="Deciding"/>: after the one that makes the day due.</param>
    /// <param name="IsWorker">Whether it hits the worker; else the trainer.</param>
    /// <param name="DelayMs">How long after that, ms.</param>
    private sealed record Kill(int Day, double Moment, bool IsWorker, int DelayMs)
    {
        public const double Deciding = 1;

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{(IsWorker ? "worker" : "trainer")} day {Day} {(Moment < Deciding ? $"on the way {Moment:0.00}" : "deciding")} +{DelayMs} ms");
    }

    /// <summary>What a run leaves behind.</summary>
    private sealed record Outcome(IReadOnlyList<string> Decisions, IReadOnlyList<string> Packages, IReadOnlyList<string> History, IReadOnlyList<string> Triggers, ScoreLog Scores) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Scores.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>How far the worker's group has committed: what is behind is not scored again.</summary>
    private sealed class CommittedOffsets(string bootstrapServers, TestTopics topics, string group) : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

        private readonly IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = bootstrapServers, GroupId = group, EnableAutoCommit = false }).Build();
        private readonly TopicPartition[] places = [.. Enumerable.Range(0, topics.PartitionCount).Select(partition => new TopicPartition(topics["transactions"], partition))];

        public async Task UntilAsync(int count, OwnProgram worker)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            patience.CancelAfter(Patience);
            while (consumer.Committed(places, TimeSpan.FromSeconds(30)).Sum(place => Math.Max(0, place.Offset.Value)) < count)
            {
                Assert.False(worker.HasEnded, $"the worker ended and said:\n{worker.Printed}");
                await timer.WaitForNextTickAsync(patience.Token);
            }
        }

        public void Dispose() => consumer.Dispose();
    }
}
