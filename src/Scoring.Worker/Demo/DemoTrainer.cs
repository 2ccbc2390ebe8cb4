using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Demo;

/// <summary>The trainer of a demo, <c>watch</c>: how far it has read, and what it decides.</summary>
internal sealed partial class DemoTrainer : IAsyncDisposable
{
    /// <summary>How long after a Monday's midnight, by the payments' clock, it looks. What comes late elsewhere is in time here.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromMinutes(1);

    // The embedded broker answers a waiting reader when the wait is over; the trainer is in no hurry.
    private const int FetchWaitMs = 50;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<DateTimeOffset, TaskCompletionSource<DemoDecision>> decisions = [];
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) }; // Its own trainer, on this machine.
    private readonly CancellationTokenSource stop = new();
    private readonly TimeProvider clock;
    private readonly TaskCompletionSource<string> metrics = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DemoProcess process = null!;
    private Task looking = Task.CompletedTask;
    private long payments;

    private DemoTrainer(TimeProvider clock) => this.clock = clock;

    /// <summary>The process.</summary>
    public DemoProcess Process => process;

    /// <summary>Where it shows its metrics, once it is ready.</summary>
    public string Metrics => metrics.Task.Result;

    /// <summary>Payments that it has read, as its metrics last said.</summary>
    public long Payments => Interlocked.Read(ref payments);

    /// <summary>Runs a verb of the trainer to its end.</summary>
    public static Task RunAsync(string[] arguments, DemoFolder folder, CancellationToken stopping) => DemoProcess.RunAsync("Scoring.Trainer", arguments, folder, onLine: null, stopping);

    /// <summary>Starts it.</summary>
    public static DemoTrainer Start(EmbeddedBroker broker, DemoSchedule schedule, DemoFolder folder, TimeProvider clock)
    {
        string client = folder.In("trainer-client.properties");
        File.WriteAllText(client, $"{EmbeddedBroker.FetchWait}={FetchWaitMs}\n");
        var trainer = new DemoTrainer(clock);
        trainer.process = DemoProcess.Start(
            "Scoring.Trainer",
            [
                "watch", "-d", folder.Definition, "--data", folder.Trainer, "--key", folder.Keys + ".key.pem", "--verification-key", folder.Keys + ".pub.pem",
                "--bootstrap-servers", broker.BootstrapServers, "--kafka-config", client, "--metrics", "127.0.0.1:0",
                "--clock", "event", // Simulated days are shorter than ours.
                "--settle", FormattableString.Invariant($"{Settle.TotalMinutes}m"),
                "--training-days", Text(DemoSchedule.TrainingDays), "--judged-days", Text(DemoSchedule.JudgedDays),
                "--frauds-min", "20", // Two days of a small world have fewer than the default asks for.
                "--reviews-per-day", Text(schedule.ReviewsPerDay),
                "--seed", Text((int)schedule.Traffic.Seed),
                "--network", "off", // A minute is short; a network takes twice the time of the trees.
                "--bins", "255", "--trees", "100", "--learning-rate", "0.1", // A third of the default's time for much the same average precision, on this data.
            ],
            folder,
            trainer.Hear);
        trainer.looking = trainer.LookAsync();
        return trainer;
    }

    /// <summary>Waits until the trainer says that it has begun.</summary>
    /// <exception cref="CommandFailure">It has ended.</exception>
    public async Task ReadyAsync(CancellationToken stopping)
    {
        while (!metrics.Task.IsCompleted)
        {
            stopping.ThrowIfCancellationRequested();
            process.ThrowIfEnded();
            await Task.Delay(LookEvery, clock, stopping);
        }
    }

    /// <summary>What the trainer decides at a time of the payments' clock.</summary>
    public Task<DemoDecision> Decides(DateTimeOffset at) => Decision(at).Task;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await process.DisposeAsync();
        http.Dispose();
        stop.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task LookAsync()
    {
        string address = await metrics.Task.WaitAsync(stop.Token);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                string page = await http.GetStringAsync(new Uri(address), stop.Token);
                if (PaymentsTaken().Match(page) is { Success: true } taken)
                {
                    Interlocked.Exchange(ref payments, (long)double.Parse(taken.Groups["count"].Value, CultureInfo.InvariantCulture));
                }
            }
            catch (HttpRequestException)
            {
                // Not yet, or not any more: whoever waits for the trainer asks whether it has ended.
            }
            catch (TaskCanceledException) when (!stop.IsCancellationRequested)
            {
                // It took longer than two seconds: it is busy learning.
            }

            await Task.Delay(LookEvery, clock, stop.Token);
        }
    }

    private void Hear(string line)
    {
        if (MetricsLine().Match(line) is { Success: true } where)
        {
            metrics.TrySetResult(where.Groups["address"].Value);
        }

        if (DecisionLine().Match(line) is { Success: true } decision)
        {
            var at = DateTimeOffset.Parse(decision.Groups["at"].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            string outcome = decision.Groups["outcome"].Value;
            Decision(at).TrySetResult(new DemoDecision(outcome is "promoted", $"{outcome}: {decision.Groups["reason"].Value}"));
        }
    }

    private TaskCompletionSource<DemoDecision> Decision(DateTimeOffset at) => decisions.GetOrAdd(at, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    [GeneratedRegex(@" metrics at (?<address>http://\S+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex MetricsLine();

    // The trainer's own words when it has decided (Watcher).
    [GeneratedRegex(@"^\S+ (?<at>[0-9T:-]+Z) \([^)]*\): (?<outcome>promoted|kept|not_judged)[^:]*: (?<reason>.*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex DecisionLine();

    [GeneratedRegex(@"^fraudscoring_trainer_records_total\{input=""transactions""\} (?<count>[0-9.e+]+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex PaymentsTaken();
}
