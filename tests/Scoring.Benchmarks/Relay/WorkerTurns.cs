using System.CommandLine;
using System.Globalization;
using Scoring.Benchmarks.Measuring;
using Scoring.Benchmarks.Trees;

namespace Scoring.Benchmarks.Relay;

/// <summary><c>workers</c>: two builds of the worker, or one of them under two settings or environments, in turns over the same topic.</summary>
/// <remarks>A-B, B-A, A-B, and so on: what a machine does meanwhile meets both. Single runs of one build differ by 15 %; of what is told here, the middle ratio counts.</remarks>
internal static class WorkerTurns
{
    private static readonly string[] Deliveries = ["exactly_once", "at_least_once"];

    /// <summary>The verb.</summary>
    /// <param name="bootstrap">Names the broker.</param>
    /// <param name="worker">The worker's program.</param>
    /// <param name="quick">Whether few events will do.</param>
    /// <param name="events">How many events.</param>
    public static Command Create(Option<string?> bootstrap, Option<FileInfo> worker, Option<bool> quick, Option<int?> events)
    {
        var against = new Option<FileInfo?>("--against") { Description = "The other worker, Scoring.Worker.dll. Default: the same." };
        var set = new Option<string[]>("--set") { Description = "A setting of both; repeat it for several: --set Lanes:CommitIntervalMs=50.", HelpName = "SECTION:NAME=VALUE" };
        var againstSet = new Option<string[]>("--against-set") { Description = "A setting of the other only.", HelpName = "SECTION:NAME=VALUE" };
        var againstEnvironment = new Option<string[]>("--against-env") { Description = "A variable of the other's environment only.", HelpName = "NAME=VALUE" };
        var service = new Option<string>("--service") { Description = "What they score.", HelpName = string.Join('|', WorkerService.Names), DefaultValueFactory = _ => WorkerService.Names[0] };
        service.AcceptOnlyFromAmong(WorkerService.Names);
        var delivery = new Option<string>("--delivery") { Description = "What they promise.", HelpName = string.Join('|', Deliveries), DefaultValueFactory = _ => Deliveries[0] };
        delivery.AcceptOnlyFromAmong(Deliveries);
        var passes = new Option<int?>("--passes") { Description = "How often each runs, 1 or more. Default: 4, with --quick 1." };
        passes.Validators.Add(result => Verbs.Refuse(result, passes.Name, result.GetValueOrDefault<int?>() < 1, "must be 1 or more"));
        againstEnvironment.Validators.Add(result => Verbs.Refuse(result, againstEnvironment.Name, !Array.TrueForAll(result.GetValueOrDefault<string[]>(), one => one.Contains('=', StringComparison.Ordinal)), "must be NAME=VALUE"));
        var rate = new Option<int?>("--rate") { Description = "Events a second, 100 or more: prints how soon their scores are visible and what commits take, in place of how many events a second are answered; --events has no say in it." };
        rate.Validators.Add(result => Verbs.Refuse(result, rate.Name, result.GetValueOrDefault<int?>() < 100, "must be 100 or more"));
        var command = new Command("workers", "Prints how fast a worker is beside another build, setting or environment, on a real broker.") { bootstrap, worker, set, against, againstSet, againstEnvironment, service, delivery, passes, events, rate, quick };
        command.SetAction(async (parsed, stopping) =>
        {
            if (RealBroker.Of(parsed, bootstrap) is not { } servers)
            {
                return RealBroker.Missing;
            }

            string promise = parsed.GetValue(delivery)!;
            string[] settings = [$"Kafka:Delivery={promise}", .. parsed.GetValue(set)!];
            var ours = new Contestant(parsed.GetValue(worker)!, settings, []);
            var other = new Contestant(parsed.GetValue(against) ?? ours.Program, [.. settings, .. parsed.GetValue(againstSet)!], parsed.GetValue(againstEnvironment)!);
            var measured = WorkerService.Of(parsed.GetValue(service)!, parsed.GetValue(quick), parsed.GetValue(events));
            int turns = parsed.GetValue(passes) ?? (parsed.GetValue(quick) ? 1 : 4);
            if (parsed.GetValue(rate) is { } steady)
            {
                await SteadyAsync(servers, measured, ours, other, turns, steady, TimeSpan.FromSeconds(parsed.GetValue(quick) ? 1 : 20), parsed.InvocationConfiguration.Output, stopping);
                return 0;
            }

            var table = new RatioTable(parsed.InvocationConfiguration.Output);
            table.Begin();
            await RunAsync(servers, measured, ours, other, turns, stopping);
            foreach (var row in ThroughputRatios.Of($"worker, {measured.Name}, {promise}", ours.Passes, "the other", other.Passes))
            {
                table.Add(row);
            }

            table.End([]);
            return 0;
        });
        return command;
    }

    private static async Task RunAsync(string servers, WorkerService service, Contestant ours, Contestant other, int passes, CancellationToken stopping)
    {
        string input = string.Create(CultureInfo.InvariantCulture, $"workers-{Environment.ProcessId}");
        using var inputs = service.CreateInputs(new TrainedTrees().Nodes);
        using var filled = await BenchmarkTopics.CreateAsync(servers, $"{input}.in");
        try
        {
            service.Fill(filled, $"{input}.in");
            foreach (var (contestant, run) in Turns(input, ours, other, passes))
            {
                using var topics = await BenchmarkTopics.CreateAsync(servers, WorkerInputs.Outputs(run));
                try
                {
                    contestant.Passes.Add(await Contender.RunAsync(
                        contestant.Program.FullName,
                        inputs.Arguments(servers, run, input, "127.0.0.1:0", contestant.Settings),
                        () => topics.Committed(run, $"{input}.in"),
                        service.EventCount,
                        stopping,
                        environment: contestant.Environment));
                }
                finally
                {
                    await topics.RemoveAsync();
                }
            }
        }
        finally
        {
            await filled.RemoveAsync();
        }
    }

    private static async Task SteadyAsync(string servers, WorkerService service, Contestant ours, Contestant other, int passes, int rate, TimeSpan time, TextWriter output, CancellationToken stopping)
    {
        using var inputs = service.CreateInputs(new TrainedTrees().Nodes);
        await output.WriteLineAsync($"| at {rate.ToString("N0", CultureInfo.InvariantCulture)} events/s | visible, median ms | 99 of 100, ms | commit, median ms (send, offsets, end) |");
        await output.WriteLineAsync("|---|---:|---:|---:|");
        foreach (var (contestant, run) in Turns(FormattableString.Invariant($"steady-{Environment.ProcessId}"), ours, other, passes))
        {
            contestant.Steady.Add(await SteadyRun.RunAsync(servers, run, contestant.Program, inputs, contestant.Settings, contestant.Environment, rate, time, stopping));
            await TellAsync(ReferenceEquals(contestant, ours) ? "worker" : "the other", contestant.Steady[^1]);
        }

        await TellAsync("worker, median", Median(ours.Steady));
        await TellAsync("the other, median", Median(other.Steady));

        Task TellAsync(string name, SteadyRun run) => output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {run.VisibleMs:F1} | {run.VisibleHighMs:F1} | {run.Commit} |"));

        static SteadyRun Median(List<SteadyRun> runs) => new(
            Ratio.MedianOf(runs.Select(run => run.VisibleMs)),
            Ratio.MedianOf(runs.Select(run => run.VisibleHighMs)),
            CommitTimes.MedianOf([.. runs.Select(run => run.Commit)]));
    }

    private static IEnumerable<(Contestant Contestant, string Run)> Turns(string name, Contestant ours, Contestant other, int passes)
    {
        for (int pass = 0; pass < passes; pass++)
        {
            Contestant[] turns = pass % 2 == 0 ? [ours, other] : [other, ours];
            for (int turn = 0; turn < turns.Length; turn++)
            {
                yield return (turns[turn], string.Create(CultureInfo.InvariantCulture, $"{name}-{pass}-{turn}"));
            }
        }
    }

    private sealed record Contestant(FileInfo Program, string[] Settings, string[] Environment)
    {
        public List<Throughput> Passes { get; } = [];

        public List<SteadyRun> Steady { get; } = [];
    }
}
