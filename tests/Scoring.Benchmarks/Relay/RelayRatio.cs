using System.Globalization;
using Scoring.Benchmarks.Measuring;
using Scoring.Benchmarks.Trees;

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
        var trees = new TrainedTrees().Nodes;
        foreach (string name in WorkerService.Names.Where(one => only is null || string.Equals(one, only, StringComparison.Ordinal)))
        {
            var measured = WorkerService.Of(name, isQuick, events);
            using var files = measured.CreateInputs(trees);
            var contest = new RelayRatio(servers, worker, measured, files);
            for (int pass = 0; pass < (isQuick ? 1 : 4); pass++)
            {
                await contest.PassAsync(string.Create(CultureInfo.InvariantCulture, $"benchmark-{Environment.ProcessId}-{name}-{pass}"), workerFirst: pass % 2 == 0, stopping);
            }

            string asFaithful = string.Create(CultureInfo.InvariantCulture, $"faithful relay, {contest.answerBytes} B answers,"), ours = $"worker, {name}, ";
            foreach (var row in (IEnumerable<Ratio>)[
                .. ThroughputRatios.Of(ours + "exactly once", contest.exactlyOnce, "at least once", contest.atLeastOnce, ">= 0.80"),
                .. ThroughputRatios.Of(ours + "exactly once", contest.exactlyOnce, "plain relay", contest.plain, ">= 0.30 (0.60)"),
                .. ThroughputRatios.Of(ours + "at least once", contest.atLeastOnce, "plain relay", contest.plain, ">= 0.30 (0.60)"),
                .. ThroughputRatios.Of(ours + "at least once", contest.atLeastOnce, asFaithful, contest.faithful)])
            {
                yield return row;
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
}
