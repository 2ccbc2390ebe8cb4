using System.Globalization;
using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Measuring;
using Scoring.Benchmarks.Trees;

namespace Scoring.Benchmarks.Relay;

/// <summary>The whole worker against a plain relay of the same bytes: the same topic, broker, partitions, acknowledgements, linger and number of consumers.</summary>
internal sealed class RelayRatio
{
    private readonly string servers;
    private readonly FileInfo worker;
    private readonly int eventCount;
    private readonly bool isQuick;
    private readonly WorkerInputs inputs;
    private readonly List<Throughput> ours = [];
    private readonly List<Throughput> relays = [];

    private RelayRatio(string servers, FileInfo worker, bool isQuick, WorkerInputs inputs)
    {
        this.servers = servers;
        this.worker = worker;
        this.inputs = inputs;
        eventCount = EventCount(isQuick);
        this.isQuick = isQuick;
    }

    /// <summary>Runs worker and relay in turns and compares throughput and CPU time.</summary>
    public static async Task<IReadOnlyList<Ratio>> RunAsync(string servers, FileInfo worker, bool isQuick, CancellationToken stopping)
    {
        using var files = new WorkerInputs(new TrainedTrees().Nodes, Events(isQuick), EventCount(isQuick));
        var contest = new RelayRatio(servers, worker, isQuick, files);
        for (int pass = 0; pass < (isQuick ? 1 : 4); pass++)
        {
            await contest.PassAsync(string.Create(CultureInfo.InvariantCulture, $"benchmark-{Environment.ProcessId}-{pass}"), workerFirst: pass % 2 == 0, stopping);
        }

        return
        [
            contest.Compare("worker, events/s", "/s", "plain relay", one => one.EventsPerSecond, (mine, its) => mine / its, ">= 0.30 (0.60)"),
            contest.Compare("worker, CPU", " CPU s per million", "plain relay", one => one.CpuSecondsPerMillion, (mine, its) => its / mine, ">= 0.30 (0.60)"),
        ];
    }

    private static int EventCount(bool isQuick) => isQuick ? 60_000 : 400_000;

    private static PaymentEvents Events(bool isQuick) => new(seed: 6, accounts: isQuick ? 5_000 : 20_000, merchants: 5_000);

    private async Task PassAsync(string run, bool workerFirst, CancellationToken stopping)
    {
        using var topics = await BenchmarkTopics.CreateAsync(servers, [.. WorkerInputs.Topics(run), $"{run}.relay"]);
        try
        {
            topics.Fill($"{run}.in", Events(isQuick), eventCount, seed: 7);
            if (workerFirst)
            {
                await RunWorkerAsync(topics, run, stopping);
                await RunRelayAsync(topics, run, stopping);
            }
            else
            {
                await RunRelayAsync(topics, run, stopping);
                await RunWorkerAsync(topics, run, stopping);
            }
        }
        finally
        {
            await topics.RemoveAsync();
        }
    }

    private async Task RunWorkerAsync(BenchmarkTopics topics, string run, CancellationToken stopping)
    {
        string[] arguments =
        [
            "run", "--definition", inputs.WriteDefinition(run), "--bootstrap-servers", servers, "--group", run, "--from", "earliest",
            "--package", inputs.Package, "--verification-key", inputs.Key, "--http", "127.0.0.1:0",
        ];
        ours.Add(await Contender.RunAsync(worker.FullName, arguments, () => topics.Count($"{run}.scores"), eventCount, stopping));
    }

    private async Task RunRelayAsync(BenchmarkTopics topics, string run, CancellationToken stopping)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Scoring.Benchmarks.dll");
        string[] arguments = ["relay", "--bootstrap", servers, "--from", $"{run}.in", "--to", $"{run}.relay"];
        relays.Add(await Contender.RunAsync(program, arguments, () => topics.Count($"{run}.relay"), eventCount, stopping));
    }

    private Ratio Compare(string name, string unit, string rival, Func<Throughput, double> figure, Func<double, double, double> ratio, string goal) => new()
    {
        Name = name,
        Ours = Ratio.Text(Ratio.MedianOf(ours.Select(figure))) + unit,
        Rival = $"{rival} {Ratio.Text(Ratio.MedianOf(relays.Select(figure)))}{unit}",
        Of = RatioOf.Speed,
        Passes = [.. ours.Zip(relays, (mine, its) => ratio(figure(mine), figure(its)))],
        Goal = goal,
    };
}
