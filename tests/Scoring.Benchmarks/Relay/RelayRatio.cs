using System.Globalization;
using Scoring.Benchmarks.Inputs;
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
    /// <summary>Names of what is run. "dense" crowds the same events into 17 minutes, so that every window holds every event of its account.</summary>
    public static readonly string[] Services = ["velocity", "card-payments", "card-payments-dense"];

    private const long DenseMicroseconds = 1_000;

    // A million events of 20,000 accounts in 30 days: 1.7 of an account and day, as cards are used. The longest window holds 50 of them at the end.
    private const long SpreadMicroseconds = 30L * 86_400_000_000 / 1_000_000;

    private readonly string servers;
    private readonly FileInfo worker;
    private readonly int eventCount;
    private readonly long stepMicroseconds;
    private readonly bool isQuick;
    private readonly string name;
    private readonly WorkerInputs inputs;
    private readonly List<Throughput> atLeastOnce = [];
    private readonly List<Throughput> exactlyOnce = [];
    private readonly List<Throughput> plain = [];
    private readonly List<Throughput> faithful = [];
    private int answerBytes;

    private RelayRatio(string servers, FileInfo worker, bool isQuick, string name, long stepMicroseconds, WorkerInputs inputs)
    {
        this.stepMicroseconds = stepMicroseconds;
        this.servers = servers;
        this.worker = worker;
        this.name = name;
        this.inputs = inputs;
        eventCount = EventCount(isQuick);
        this.isQuick = isQuick;
    }

    /// <summary>Runs worker and relays in turns and compares throughput and CPU time.</summary>
    /// <param name="servers">A real broker.</param>
    /// <param name="worker">The worker's program.</param>
    /// <param name="only">One of <see cref="Services"/>, or null for all.</param>
    /// <param name="isQuick">Whether few events will do.</param>
    /// <param name="stopping">Ends it early.</param>
    public static async IAsyncEnumerable<Ratio> RunAsync(string servers, FileInfo worker, string? only, bool isQuick, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stopping)
    {
        var trees = new TrainedTrees().Nodes;
        foreach (string service in Services.Where(one => only is null || string.Equals(one, only, StringComparison.Ordinal)))
        {
            bool isVelocity = string.Equals(service, "velocity", StringComparison.Ordinal);
            byte[] json = isVelocity ? Definitions.Velocity.ToArray() : File.ReadAllBytes(Definitions.PathOf("card-payments.json"));
            long step = string.Equals(service, "card-payments", StringComparison.Ordinal) ? SpreadMicroseconds : DenseMicroseconds;
            using var files = new WorkerInputs(json, trees, Events(isQuick, step), EventCount(isQuick));
            var contest = new RelayRatio(servers, worker, isQuick, service, step, files);
            for (int pass = 0; pass < (isQuick ? 1 : 4); pass++)
            {
                await contest.PassAsync(string.Create(CultureInfo.InvariantCulture, $"benchmark-{Environment.ProcessId}-{service}-{pass}"), workerFirst: pass % 2 == 0, stopping);
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

    private static int EventCount(bool isQuick) => isQuick ? 60_000 : 1_000_000;

    private static PaymentEvents Events(bool isQuick, long stepMicroseconds) => new(seed: 6, accounts: isQuick ? 5_000 : 20_000, merchants: 5_000, stepMicroseconds);

    private async Task PassAsync(string run, bool workerFirst, CancellationToken stopping)
    {
        using var topics = await BenchmarkTopics.CreateAsync(servers, [.. WorkerInputs.Topics(run), .. WorkerInputs.Topics(Once(run)), $"{run}.plain", $"{run}.faithful"]);
        try
        {
            var stream = Events(isQuick, stepMicroseconds);
            topics.Fill($"{run}.in", stream, stream.Draw(eventCount, seed: 7));
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
        Contender.RunAsync(worker.FullName, inputs.Arguments(servers, run, input, "127.0.0.1:0", $"Kafka:Delivery={delivery}"), () => topics.Committed(run, $"{input}.in"), eventCount, stopping);

    private Task<Throughput> RunRelayAsync(BenchmarkTopics topics, string run, string kind, int answer, CancellationToken stopping) =>
        Contender.RunAsync(RelayProcess.Program, RelayProcess.Arguments(servers, $"{run}.in", $"{run}.{kind}", answer), () => topics.Count($"{run}.{kind}"), eventCount, stopping);

    private Ratio Compare((string Name, List<Throughput> Passes) ours, (string Name, List<Throughput> Passes) rival, string what, string unit, Func<Throughput, double> figure, Func<double, double, double> ratio, string goal) => new()
    {
        Name = $"worker, {name}, {ours.Name}, {what}",
        Ours = Ratio.Text(Ratio.MedianOf(ours.Passes.Select(figure))) + unit,
        Rival = $"{rival.Name} {Ratio.Text(Ratio.MedianOf(rival.Passes.Select(figure)))}{unit}",
        Of = RatioOf.Speed,
        Passes = [.. ours.Passes.Zip(rival.Passes, (mine, its) => ratio(figure(mine), figure(its)))],
        Goal = goal,
    };
}
