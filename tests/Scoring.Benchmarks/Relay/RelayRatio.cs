using System.Globalization;
using Scoring.Benchmarks.Measuring;

namespace Scoring.Benchmarks.Relay;

/// <summary>The whole worker against relays over the same topic, broker, partitions, acknowledgements, linger and number of consumers.</summary>
/// <remarks>
/// The plain relay copies what it reads and commits blindly: the ceiling. The faithful one does what the worker does around its computing:
/// records of an answer's size with its headers, deliveries reported, offsets committed behind them.
/// </remarks>
internal sealed class RelayRatio
{
    private readonly string servers;
    private readonly FileInfo worker;
    private readonly WorkerService service;
    private readonly WorkerInputs inputs;
    private readonly List<Throughput> atLeastOnce = [];
    private readonly List<Throughput> exactlyOnce = [];
    private readonly List<Throughput> plain = [];
    private readonly List<Throughput> faithful = [];
    private int answerBytes;

    private RelayRatio(string servers, FileInfo worker, WorkerService service, WorkerInputs inputs)
    {
        this.servers = servers;
        this.worker = worker;
        this.service = service;
        this.inputs = inputs;
    }

    /// <summary>Runs worker and relays in turns and compares throughput and CPU time.</summary>
    /// <param name="servers">A real broker.</param>
    /// <param name="worker">The worker's program.</param>
    /// <param name="only">One of <see cref="WorkerService.Names"/>, or null for all.</param>
    /// <param name="isQuick">Whether few events will do.</param>
    /// <param name="events">How many events of each, or null.</param>
    /// <param name="stopping">Ends it early.</param>
    public static async IAsyncEnumerable<Ratio> RunAsync(string servers, FileInfo worker, string? only, bool isQuick, int? events, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stopping)
    {
        foreach (string name in WorkerService.Names.Where(one => only is null || string.Equals(one, only, StringComparison.Ordinal)))
        {
            var measured = new WorkerService(name, isQuick, events);
            using var files = measured.CreateInputs();
            var contest = new RelayRatio(servers, worker, measured, files);
            for (int pass = 0; pass < (isQuick ? 1 : 4); pass++)
            {
                await contest.PassAsync(string.Create(CultureInfo.InvariantCulture, $"benchmark-{Environment.ProcessId}-{name}-{pass}"), workerFirst: pass % 2 == 0, stopping);
            }

            var (atLeastOnce, exactlyOnce) = (("at least once", contest.atLeastOnce), ("exactly once", contest.exactlyOnce));
            var asFaithful = (string.Create(CultureInfo.InvariantCulture, $"faithful relay, {contest.answerBytes} B answers,"), contest.faithful);
            foreach (var (mine, its, goal) in new[] { (exactlyOnce, atLeastOnce, ">= 0.80"), (exactlyOnce, ("plain relay", contest.plain), ">= 0.30 (0.60)"), (atLeastOnce, ("plain relay", contest.plain), ">= 0.30 (0.60)"), (atLeastOnce, asFaithful, "") })
            {
                yield return contest.Compare(mine, its, "events/s", "/s", one => one.EventsPerSecond, (a, b) => a / b, goal);
                yield return contest.Compare(mine, its, "CPU", " CPU s per million", one => one.CpuSecondsPerMillion, (a, b) => b / a, "");
            }
        }
    }

    private async Task PassAsync(string run, bool workerFirst, CancellationToken stopping)
    {
        using var topics = await BenchmarkTopics.CreateAsync(servers, [.. WorkerInputs.Topics(run), .. WorkerInputs.Topics(Once(run)), $"{run}.plain", $"{run}.faithful"]);
        try
        {
            service.Fill(topics, $"{run}.in");
            if (workerFirst)
            {
                atLeastOnce.Add(await RunWorkerAsync(topics, run, run, "at_least_once", stopping));
                exactlyOnce.Add(await RunWorkerAsync(topics, Once(run), run, "exactly_once", stopping));
                answerBytes = topics.MeanValueBytes($"{run}.scores");
            }

            plain.Add(await RunRelayAsync(topics, run, "plain", 0, stopping));
            faithful.Add(await RunRelayAsync(topics, run, "faithful", answerBytes, stopping));
            if (!workerFirst)
            {
                exactlyOnce.Add(await RunWorkerAsync(topics, Once(run), run, "exactly_once", stopping));
                atLeastOnce.Add(await RunWorkerAsync(topics, run, run, "at_least_once", stopping));
            }
        }
        finally
        {
            await topics.RemoveAsync();
        }
    }

    private static string Once(string run) => run + "-once";

    private Task<Throughput> RunWorkerAsync(BenchmarkTopics topics, string run, string input, string delivery, CancellationToken stopping) =>
        Contender.RunAsync(worker.FullName, inputs.Arguments(servers, run, input, "127.0.0.1:0", $"Kafka:Delivery={delivery}"), () => topics.Committed(run, $"{input}.in"), service.EventCount, stopping);

    private Task<Throughput> RunRelayAsync(BenchmarkTopics topics, string run, string kind, int answer, CancellationToken stopping) =>
        Contender.RunAsync(RelayProcess.Program, RelayProcess.Arguments(servers, $"{run}.in", $"{run}.{kind}", answer), () => topics.Count($"{run}.{kind}"), service.EventCount, stopping);

    private Ratio Compare((string Name, List<Throughput> Passes) ours, (string Name, List<Throughput> Passes) rival, string what, string unit, Func<Throughput, double> figure, Func<double, double, double> ratio, string goal) => new()
    {
        Name = $"worker, {service.Name}, {ours.Name}, {what}",
        Ours = Ratio.Text(Ratio.MedianOf(ours.Passes.Select(figure))) + unit,
        Rival = $"{rival.Name} {Ratio.Text(Ratio.MedianOf(rival.Passes.Select(figure)))}{unit}",
        Of = RatioOf.Speed,
        Passes = [.. ours.Passes.Zip(rival.Passes, (mine, its) => ratio(figure(mine), figure(its)))],
        Goal = goal,
    };
}
