using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Demo;

/// <summary>The demo, step by step.</summary>
/// <remarks>
/// 1. simulate a history into files, 2. train on it as a customer would, in a process of its own, 3. start broker and worker,
/// 4. let the worker meet the customers, 5. live traffic; then the summary. Whatever happens, processes, broker and folder go.
/// </remarks>
internal sealed partial class DemoRun(DemoOptions options, DemoScreen screen, TimeProvider clock)
{
    private const int PartitionCount = 4;
    private const int LaneCount = 1;
    private const double ReviewsPerFraud = 1.5;

    // The embedded broker does not wake a waiting reader when something comes; it answers when the wait is over.
    private const string FetchWait = "fetch.wait.max.ms";
    private const string FetchWaitMs = "5";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LastAnswersTimeout = TimeSpan.FromSeconds(20);

    private static readonly string DefinitionPath = Path.Combine(AppContext.BaseDirectory, "definitions", "card-payments.json");

    /// <summary>Runs it.</summary>
    /// <returns>0 when every live payment was scored once, or when it was stopped.</returns>
    public async Task<int> RunAsync(CancellationToken stopping)
    {
        var schedule = new DemoSchedule(options, clock.GetUtcNow());
        using var folder = new DemoFolder(options.Keep);
        await RecordAsync(schedule, folder, stopping);
        await TrainAsync(schedule, folder, stopping);

        var topics = new ServiceTopics(ModelLoader.ReadDefinition(DefinitionPath));
        screen.Step("Starting an embedded broker and the worker");
        using var broker = StartBroker(topics);
        await using var worker = StartWorker(broker, folder, out var address);
        await ReadyAsync(worker, address, stopping);
        string http = await address;
        screen.Detail($"metrics {http}/metrics   health {http}/health/ready   broker {broker.BootstrapServers}");

        var clients = new KafkaClients(new KafkaOptions { BootstrapServers = broker.BootstrapServers, Client = new Dictionary<string, string>(StringComparer.Ordinal) { [FetchWait] = FetchWaitMs } }, "demo", NullLogger.Instance);
        var ledger = new DemoLedger(options.Rate * options.Seconds, clock);
        using var scores = new DemoScores(clients, topics, PartitionCount, ledger);
        using var feed = new DemoFeed(schedule, clients, topics, ledger, scores, clock);
        await WarmUpAsync(schedule, worker, feed, stopping);
        await PlayAsync(worker, feed, scores, ledger, stopping);
        int exitCode = await worker.StopAsync();
        return Conclude(new DemoReport(ledger), folder, exitCode, stopping.IsCancellationRequested);
    }

    private async Task RecordAsync(DemoSchedule schedule, DemoFolder folder, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        screen.Step(string.Create(CultureInfo.InvariantCulture, $"Simulating {(schedule.LiveBegins - schedule.HistoryBegins).TotalDays:0} days of card payments of {options.Accounts:N0} accounts"));
        var history = await Task.Run(() => DemoHistory.Write(schedule, folder, stopping), stopping);
        screen.Detail(string.Create(CultureInfo.InvariantCulture, $"{history.Payments:N0} payments, {history.Frauds:N0} of them fraud, {history.Labels:N0} labels known so far; {Seconds(started)}"));
    }

    private async Task TrainAsync(DemoSchedule schedule, DemoFolder folder, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        screen.Step("Training on it: import, features, trees, calibration, thresholds, signed package");
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        await Trainer(["models", "keygen", "-o", folder.Keys]);
        await Trainer(["import", "-d", DefinitionPath, "-i", folder.Transactions, "--labels", folder.Labels, "-o", folder.History]);
        double fraudsPerDay = options.Accounts * schedule.Traffic.TransactionsPerAccountPerDay * schedule.Traffic.FraudRate;
        await Trainer(
        [
            "train", "-d", DefinitionPath, "--history", folder.History, "--key", folder.Keys + ".key.pem", "-o", folder.Package,
            "--from", Time(schedule.TrainingBegins), "--to", Time(schedule.CalibrationBegins),
            "--calibrate-from", Time(schedule.CalibrationBegins), "--calibrate-to", Time(schedule.CalibrationEnds),
            "--seed", options.Seed.ToString(CultureInfo.InvariantCulture),
            "--network", "off", // A minute is short; the network takes twice the time of the trees.
            "--bins", "255", // Half the time of the default for the same average precision, on this data.
            "--reviews-per-day", Math.Max(1, (int)(ReviewsPerFraud * fraudsPerDay)).ToString(CultureInfo.InvariantCulture),
        ]);
        screen.Detail(string.Create(
            CultureInfo.InvariantCulture,
            $"on a later week, not learnt from: AUC ROC {said.GetValueOrDefault("auc_roc")}, average precision {said.GetValueOrDefault("average_precision")}; signed package of {new FileInfo(folder.Package).Length / 1024:N0} KiB; {Seconds(started)}"));

        Task Trainer(string[] arguments) => DemoProcess.RunAsync("Scoring.Trainer", arguments, folder, Hear, stopping);

        // The trainer's progress ("growing trees: 40 %") and what it says at the end ("average_precision   0.77").
        void Hear(string line)
        {
            if (line.EndsWith(" %", StringComparison.Ordinal) && !line.EndsWith(": 0 %", StringComparison.Ordinal))
            {
                screen.Detail(line);
            }
            else if (line.IndexOf("  ", StringComparison.Ordinal) is > 0 and var end)
            {
                said[line[..end]] = line[end..].Trim();
            }
        }

        static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }

    private static EmbeddedBroker StartBroker(ServiceTopics topics)
    {
        var broker = EmbeddedBroker.Start();
        foreach (string topic in new[] { topics.Transactions, topics.Labels, topics.Scores, topics.Alerts, topics.DeadLetters, topics.Aggregates, topics.Models })
        {
            broker.CreateTopic(topic, PartitionCount);
        }

        return broker;
    }

    private static DemoProcess StartWorker(EmbeddedBroker broker, DemoFolder folder, out Task<string> address)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        address = found.Task;
        return DemoProcess.Start(
            "Scoring.Worker",
            [
                "run", "--definition", DefinitionPath, "--package", folder.Package, "--verification-key", folder.Keys + ".pub.pem",
                "--bootstrap-servers", broker.BootstrapServers, "--set", $"Kafka:Client:{FetchWait}={FetchWaitMs}", "--http", "127.0.0.1:0", "--lanes", LaneCount.ToString(CultureInfo.InvariantCulture),
            ],
            folder,
            line =>
            {
                if (!found.Task.IsCompleted && Address().Match(line) is { Success: true } match)
                {
                    found.TrySetResult(match.Value);
                }
            });
    }

    private async Task ReadyAsync(DemoProcess worker, Task<string> address, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) }; // Its own worker, on this machine.
        while (true)
        {
            worker.ThrowIfFailed();
            if (address.IsCompletedSuccessfully && await IsReadyAsync(http, await address, stopping))
            {
                return;
            }

            if (clock.GetElapsedTime(started) > StartTimeout)
            {
                throw new CommandFailure(ExitCode.Internal, FormattableString.Invariant($"the worker was not ready within {StartTimeout.TotalSeconds} s; its last lines:\n{worker.Tail}"));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, stopping);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, string address, CancellationToken stopping)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(address + "/health/ready"), stopping);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task WarmUpAsync(DemoSchedule schedule, DemoProcess worker, DemoFeed feed, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        screen.Step(string.Create(CultureInfo.InvariantCulture, $"Playing the last {(schedule.LiveBegins - schedule.WarmUpBegins).TotalDays:0} days to the worker, so that it knows the customers"));
        await WhileRunningAsync(worker, feed.WarmUpAsync, stopping);
        screen.Detail(string.Create(CultureInfo.InvariantCulture, $"{feed.Sent:N0} payments; {Seconds(started)}"));
    }

    private async Task PlayAsync(DemoProcess worker, DemoFeed feed, DemoScores scores, DemoLedger ledger, CancellationToken stopping)
    {
        screen.Step(string.Create(CultureInfo.InvariantCulture, $"Live: {options.Rate:N0} payments a second for {options.Seconds} s; simulated days pass quickly"));
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var status = new DemoStatus(ledger, feed, screen, clock).RunAsync(worker, watching.Token);
        try
        {
            await WhileRunningAsync(worker, token => feed.PlayAsync(options.Rate, TimeSpan.FromSeconds(options.Seconds), token), stopping);
            long ended = clock.GetTimestamp();
            while (ledger.Answered < ledger.Count && !worker.HasExited && clock.GetElapsedTime(ended) < LastAnswersTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped by its user: what there is so far is summed up.
        }

        await watching.CancelAsync();
        await status.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Does work that needs the worker, and fails with its last lines when it ends meanwhile.</summary>
    private async Task WhileRunningAsync(DemoProcess worker, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var working = Task.Run(() => work(stop.Token), stop.Token);
        while (await Task.WhenAny(working, Task.Delay(TimeSpan.FromMilliseconds(200), clock, stop.Token)) != working)
        {
            if (worker.HasExited && !stopping.IsCancellationRequested)
            {
                await stop.CancelAsync();
                await ((Task)working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                worker.ThrowIfFailed();
            }
        }

        await working;
    }

    private int Conclude(DemoReport report, DemoFolder folder, int workerExitCode, bool isStopped)
    {
        screen.Show(report);
        screen.Say("What next      README.md: your own Kafka, your own data; CONTRIBUTING.md: add a definition; docs/architecture.md: how it works");
        screen.Say(options.Keep ? $"Kept           {folder.Path}: history, labels, model package, keys, logs" : "Nothing stays  run with --keep to look at history, model package and logs");
        bool isWhole = report.Answered == report.Sent && workerExitCode == ExitCode.Ok;
        string head = isStopped ? "Stopped" : isWhole ? "Done" : "Not as it should be";
        screen.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{head}: {report.Answered:N0} of {report.Sent:N0} live payments scored; {report.Frauds.Alerted:N0} of {report.Frauds.Count:N0} frauds caught ({report.Frauds.Share:P0}), {report.Honest.Alerted:N0} false alarms; nothing is left running."));
        return isWhole || isStopped ? ExitCode.Ok : ExitCode.Internal;
    }

    private string Seconds(long started) => string.Create(CultureInfo.InvariantCulture, $"{clock.GetElapsedTime(started).TotalSeconds:0.0} s");

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Address();
}
