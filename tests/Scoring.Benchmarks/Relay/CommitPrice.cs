using System.CommandLine;
using System.Globalization;
using Scoring.Benchmarks.Trees;
using Scoring.EndToEnd.Tests.Operations;

namespace Scoring.Benchmarks.Relay;

/// <summary><c>commits</c>: what exactly once costs and how soon a reader sees a score, by the interval between commits, with a relay in transactions of that length beside it.</summary>
internal sealed class CommitPrice
{
    private static readonly int[] IntervalsMs = [10, 25, 50, 100, 250, 1_000];
    private static readonly int[] IntervalsMsQuick = [25, 100];

    private readonly string servers;
    private readonly FileInfo worker;
    private readonly WorkerInputs inputs;
    private readonly WorkerService service;
    private readonly int rate;
    private readonly TimeSpan measured;
    private readonly CancellationToken stopping;
    private int answerBytes;

    private CommitPrice(string servers, FileInfo worker, WorkerService service, WorkerInputs inputs, int rate, TimeSpan measured, CancellationToken stopping)
    {
        this.servers = servers;
        this.worker = worker;
        this.inputs = inputs;
        this.service = service;
        this.rate = rate;
        this.measured = measured;
        this.stopping = stopping;
    }

    /// <summary>The verb.</summary>
    /// <param name="bootstrap">Names the broker.</param>
    /// <param name="worker">The worker's program.</param>
    /// <param name="quick">Whether few events will do.</param>
    public static Command Create(Option<string?> bootstrap, Option<FileInfo> worker, Option<bool> quick)
    {
        var command = new Command("commits", "Prints what exactly once costs by the interval between commits, on a real broker.") { bootstrap, worker, quick };
        var eventsPerSecond = new Option<int>("--rate") { Description = "Events a second while it is measured how soon scores are visible.", DefaultValueFactory = _ => 20_000 };
        var intervals = new Option<int[]>("--intervals") { Description = "Most milliseconds between two commits; several by repeating it.", AllowMultipleArgumentsPerToken = true };
        command.Add(eventsPerSecond);
        command.Add(intervals);
        command.SetAction(async (parsed, stopping) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            if (RealBroker.Of(parsed, bootstrap) is not { } servers)
            {
                return RealBroker.Missing;
            }

            bool isQuick = parsed.GetValue(quick);
            var velocity = new WorkerService("velocity", isQuick ? 200_000 : 1_000_000);
            using var files = velocity.CreateInputs(new TrainedTrees().Nodes);
            await new CommitPrice(servers, parsed.GetValue(worker)!, velocity, files, parsed.GetValue(eventsPerSecond), TimeSpan.FromSeconds(isQuick ? 1 : 10), stopping)
                .RunAsync(output, parsed.GetValue(intervals) is { Length: > 0 } wanted ? wanted : isQuick ? IntervalsMsQuick : IntervalsMs);
            return 0;
        });
        return command;
    }

    private async Task RunAsync(TextWriter output, int[] intervalsMs)
    {
        string run = FormattableString.Invariant($"commits-{Environment.ProcessId}");
        using var topics = await BenchmarkTopics.CreateAsync(servers, WorkerInputs.Topics(run));
        try
        {
            service.Fill(topics, $"{run}.in");
            var atLeastOnce = await ThroughputAsync($"{run}-alo", run, "at_least_once", 100);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"at least once, 100 ms: {atLeastOnce.Of.EventsPerSecond:N0} events/s, {atLeastOnce.Of.CpuSecondsPerMillion:F1} CPU s per million; answers of {answerBytes} B. Visible is measured at {rate:N0} events/s: who sends and who reads take their share of the machine too."));

            await output.WriteLineAsync("\n| interval, ms | worker, events/s | of at least once | CPU s per million | commit, median ms (send, offsets, end) | relay in transactions, events/s | worker of relay | visible, median ms | 99 of 100, ms | commit then |");
            await output.WriteLineAsync("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
            foreach (int interval in intervalsMs)
            {
                var ours = await ThroughputAsync(FormattableString.Invariant($"{run}-{interval}"), run, "exactly_once", interval);
                var relay = await RelayAsync(topics, run, interval);
                var paced = await SteadyRun.RunAsync(servers, FormattableString.Invariant($"{run}-{interval}-paced"), worker, inputs, Settings("exactly_once", interval), [], rate, measured, stopping);
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {interval} | {ours.Of.EventsPerSecond:N0} | {ours.Of.EventsPerSecond / atLeastOnce.Of.EventsPerSecond:F2} | {ours.Of.CpuSecondsPerMillion:F1} | {ours.Commit} | {relay.EventsPerSecond:N0} | {ours.Of.EventsPerSecond / relay.EventsPerSecond:F2} | {paced.VisibleMs:F1} | {paced.VisibleHighMs:F1} | {paced.Commit} |"));
            }
        }
        finally
        {
            await topics.RemoveAsync();
        }
    }

    private async Task<(Throughput Of, CommitTimes Commit)> ThroughputAsync(string run, string input, string delivery, int intervalMs)
    {
        using var topics = await BenchmarkTopics.CreateAsync(servers, WorkerInputs.Outputs(run));
        try
        {
            using var http = new HttpDoor(HttpDoor.FreePort());
            var commit = CommitTimes.Of("");
            var throughput = await Contender.RunAsync(worker.FullName, inputs.Arguments(servers, run, input, http.EndPoint.ToString(), Settings(delivery, intervalMs)), () => topics.Committed(run, $"{input}.in"), service.EventCount, stopping, async () => commit = CommitTimes.Of((await http.GetAsync("/metrics", stopping)).Body));
            answerBytes = answerBytes == 0 ? topics.MeanValueBytes($"{run}.scores") : answerBytes;
            return (throughput, commit);
        }
        finally
        {
            await topics.RemoveAsync();
        }
    }

    private async Task<Throughput> RelayAsync(BenchmarkTopics topics, string run, int intervalMs)
    {
        string to = FormattableString.Invariant($"{run}-{intervalMs}.relay");
        using var target = await BenchmarkTopics.CreateAsync(servers, to);
        try
        {
            return await Contender.RunAsync(RelayProcess.Program, RelayProcess.Arguments(servers, $"{run}.in", to, answerBytes, intervalMs), () => topics.Committed($"relay.{to}", $"{run}.in"), service.EventCount, stopping);
        }
        finally
        {
            await target.RemoveAsync();
        }
    }

    private static string[] Settings(string delivery, int intervalMs) => [$"Kafka:Delivery={delivery}", FormattableString.Invariant($"Lanes:CommitIntervalMs={intervalMs}")];
}
