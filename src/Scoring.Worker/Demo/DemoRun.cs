using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Demo;

/// <summary>The demo, step by step.</summary>
/// <remarks>
/// 1. Broker, worker and trainer start, each as in production. 2. The history flows; the worker decides by rules alone. 3. A Monday: the trainer
/// learns a first model, the worker takes it. 4. Live traffic; a fraud begins that this model misses; the next Monday the trainer learns again,
/// and the worker swaps. 5. The first model is asked too about what the second one scored; then the summary. Whatever happens, processes,
/// broker and folder go.
/// </remarks>
internal sealed class DemoRun(DemoOptions options, DemoScreen screen, TimeProvider clock)
{
    private const int PartitionCount = 4;

    private static readonly TimeSpan LastAnswersTimeout = TimeSpan.FromSeconds(20);

    // While the trainer learns, a day takes so long, which is longer than the learning on most machines.
    private const double ChangeoverSeconds = 20;

    private readonly DemoSchedule schedule = new(options, clock.GetUtcNow());
    private DemoModel? first;
    private DemoModel? second;

    /// <summary>Runs it.</summary>
    /// <returns>0 when every live payment was scored once, or when it was stopped.</returns>
    public async Task<int> RunAsync(CancellationToken stopping)
    {
        using var folder = new DemoFolder(options.Keep);
        screen.Step("Starting an embedded broker, a worker that has no model yet, and a trainer that watches");
        await DemoTrainer.RunAsync(["models", "keygen", "-o", folder.Keys], folder, stopping);
        var topics = new ServiceTopics(ModelLoader.ReadDefinition(folder.Definition));
        using var broker = StartBroker(topics);
        await using var worker = DemoWorker.Start(broker, folder, clock);
        await using var trainer = DemoTrainer.Start(broker, schedule, folder, clock);
        await worker.ReadyAsync(stopping);
        await trainer.ReadyAsync(stopping);
        screen.Detail($"worker {worker.Address}/metrics   trainer {trainer.Metrics}   broker {broker.BootstrapServers}");

        var settings = new KafkaOptions { BootstrapServers = broker.BootstrapServers, Client = new Dictionary<string, string>(StringComparer.Ordinal) { [EmbeddedBroker.FetchWait] = EmbeddedBroker.FetchWaitMs } };
        var clients = new KafkaClients(settings, "demo", NullLogger.Instance);
        var ledger = new DemoLedger(schedule.LivePaymentsMax, clock);
        using var scores = new DemoScores(clients, topics, PartitionCount, ledger, folder.Scores);
        using var feed = new DemoFeed(schedule, clients, topics, folder, ledger, scores, trainer, clock);
        await RecordAsync(worker, trainer, feed, stopping);
        await LearnAsync(worker, trainer, stopping);
        await PlayAsync(worker, trainer, feed, ledger, stopping);
        int workerExitCode = await worker.Process.StopAsync();
        bool isStopped = stopping.IsCancellationRequested;
        int trainerExitCode = isStopped ? ExitCode.Ok : await trainer.Process.StopAsync(); // One that is learning would take its time; it is ended below.
        feed.Dispose();
        await CompareAsync(folder, ledger, stopping);
        if (folder.Truth is { } truth)
        {
            ledger.WriteTruth(truth);
        }

        bool isClean = workerExitCode == ExitCode.Ok && trainerExitCode == ExitCode.Ok;
        return Conclude(new DemoReport(ledger, first, second, schedule.ComparedFrom), isClean, folder, isStopped);
    }

    private static EmbeddedBroker StartBroker(ServiceTopics topics)
    {
        var broker = EmbeddedBroker.Start();
        foreach (string topic in new[] { topics.Transactions, topics.Labels, topics.Scores, topics.Alerts, topics.DeadLetters, topics.Aggregates })
        {
            broker.CreateTopic(topic, PartitionCount);
        }

        broker.CreateTopic(topics.Models, 1);
        return broker;
    }

    private async Task RecordAsync(DemoWorker worker, DemoTrainer trainer, DemoFeed feed, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        screen.Step(Text($"{(schedule.LiveBegins - schedule.HistoryBegins).TotalDays:0} days of payments of {options.Accounts:N0} customers, and the labels that come back days later; rules alone decide"));
        await WhileRunningAsync(worker, trainer, token => feed.HurryAsync(schedule.LiveBegins + DemoTrainer.Settle, token), stopping);
        screen.Detail(Text($"{feed.Sent:N0} payments, {feed.Frauds:N0} of them fraud, {feed.FraudReports:N0} frauds reported so far; {Seconds(started)}"));
    }

    private async Task LearnAsync(DemoWorker worker, DemoTrainer trainer, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        screen.Step("Monday 00:00: the trainer learns its first model, signs and publishes it; the worker takes it between two batches");
        await WhileRunningAsync(
            worker,
            trainer,
            async token =>
            {
                var decision = await trainer.Decides(schedule.LiveBegins).WaitAsync(token);
                if (!decision.IsPromoted)
                {
                    throw new CommandFailure(ExitCode.Data, $"the trainer published no first model: {decision.Text}; try another --seed or more --accounts");
                }

                screen.Detail($"trainer: {decision.Text}");
                first = await worker.Takes(1).WaitAsync(token);
            },
            stopping);
        screen.Detail(Text($"worker: {first} scores from here on; {Seconds(started)}"));
    }

    private async Task PlayAsync(DemoWorker worker, DemoTrainer trainer, DemoFeed feed, DemoLedger ledger, CancellationToken stopping)
    {
        screen.Step(Text($"Live: {options.Rate:N0} payments a second, so that a day takes about {schedule.PaymentsPerDay / options.Rate:0.0} s"));
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var status = new DemoStatus(schedule, ledger, feed, screen, clock).RunAsync(watching.Token);
        try
        {
            await WhileRunningAsync(worker, trainer, token => LiveAsync(worker, trainer, feed, ledger, token), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped by its user: what there is so far is summed up.
        }

        await watching.CancelAsync();
        await status.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The second model comes when the trainer is done, sooner or later by our clock; the days that are compared begin only then.
    private async Task LiveAsync(DemoWorker worker, DemoTrainer trainer, DemoFeed feed, DemoLedger ledger, CancellationToken stopping)
    {
        await feed.PlayAsync(options.Rate, schedule.NewFraudBegins, static () => false, stopping);
        screen.Event($"{schedule.Name(schedule.NewFraudBegins)}  a new fraud begins: cards that shops keep on file are charged, where their owners buy too");
        long reported = feed.FraudReports;
        await feed.PlayAsync(options.Rate, schedule.LearnsAgain + DemoTrainer.Settle, static () => false, stopping);
        screen.Event(Text($"{schedule.Name(schedule.LearnsAgain)}  the trainer learns again: {feed.FraudReports - reported:N0} frauds were reported since; payments go on meanwhile"));

        var swap = SwapAsync(worker, trainer, feed, stopping);
        await feed.PlayAsync((int)(schedule.PaymentsPerDay / ChangeoverSeconds), schedule.ComparedFrom, () => swap.IsCompleted, stopping);
        await swap;
        await feed.PlayAsync(options.Rate, schedule.LiveEnds, static () => false, stopping);
        await AnsweredAsync(ledger, stopping);
    }

    private async Task SwapAsync(DemoWorker worker, DemoTrainer trainer, DemoFeed feed, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        var decision = await trainer.Decides(schedule.LearnsAgain).WaitAsync(stopping);
        screen.Event($"{schedule.Name(feed.Time)}  trainer: {decision.Text}");
        if (decision.IsPromoted)
        {
            second = await worker.Takes(2).WaitAsync(stopping);
            screen.Event(Text($"{schedule.Name(feed.Time)}  worker: {second} scores from here on, swapped between two batches; {Seconds(started)} after the trainer began"));
        }
    }

    private async Task AnsweredAsync(DemoLedger ledger, CancellationToken stopping)
    {
        long ended = clock.GetTimestamp();
        while (ledger.Answered < ledger.Count && clock.GetElapsedTime(ended) < LastAnswersTimeout)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, stopping);
        }
    }

    private async Task CompareAsync(DemoFolder folder, DemoLedger ledger, CancellationToken stopping)
    {
        if (first is null || second is null || stopping.IsCancellationRequested)
        {
            return;
        }

        long started = clock.GetTimestamp();
        screen.Step(Text($"Model 1 is asked too about the last {(schedule.LiveEnds - schedule.ComparedFrom).TotalDays:0} days, which model 2 scored: the same payments and labels, replayed"));
        try
        {
            await DemoSecondOpinion.AskAsync(schedule, folder, first, ledger, stopping);
            screen.Detail(Seconds(started));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped by its user: the summary says what there is without it.
        }
    }

    /// <summary>Does work that needs worker and trainer, and fails with its last lines when one of them ends meanwhile.</summary>
    private async Task WhileRunningAsync(DemoWorker worker, DemoTrainer trainer, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var working = Task.Run(() => work(stop.Token), stop.Token);
        try
        {
            while (await Task.WhenAny(working, Task.Delay(TimeSpan.FromMilliseconds(200), clock, stop.Token)) != working)
            {
                stopping.ThrowIfCancellationRequested(); // Ctrl-C in a terminal ends them too, and that is no failure.
                worker.Process.ThrowIfEnded();
                trainer.Process.ThrowIfEnded();
            }
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await working;
    }

    private int Conclude(DemoReport report, bool isClean, DemoFolder folder, bool isStopped)
    {
        screen.Show(report);
        screen.Say("What next      README.md: your own Kafka, your own data; docs/learning.md: when a model wins; docs/architecture.md: how it works");
        screen.Say(options.Keep ? $"Kept           {folder.Path}: payments, labels, scores, models, decisions, keys, logs" : "Nothing stays  run with --keep to look at payments, models, decisions and logs");
        bool isWhole = report.Answered == report.Sent && report.Repeated == 0 && isClean;
        string head = isStopped ? "Stopped" : isWhole ? "Done" : "Not as it should be";
        var (before, after) = (report.ByFirst[FraudPattern.StoredCardAbuse], report.BySecond[FraudPattern.StoredCardAbuse]);
        string newFraud = second is null
            ? Text($"of the new fraud {before.Share:P0} caught by model 1, and there was no second model")
            : Text($"of the new fraud {before.Share:P0} caught before the new model, {after.Share:P0} after it");
        screen.Say(Text($"{head}: {report.Answered:N0} of {report.Sent:N0} live payments scored; {newFraud}; nothing is left running."));
        return isWhole || isStopped ? ExitCode.Ok : ExitCode.Internal;
    }

    private string Seconds(long started) => Text($"{clock.GetElapsedTime(started).TotalSeconds:0.0} s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
