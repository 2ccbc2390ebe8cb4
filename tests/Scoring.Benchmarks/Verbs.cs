using System.CommandLine;
using System.CommandLine.Parsing;
using BenchmarkDotNet.Running;
using Scoring.Benchmarks.Decode;
using Scoring.Benchmarks.Features;
using Scoring.Benchmarks.Measuring;
using Scoring.Benchmarks.Recovery;
using Scoring.Benchmarks.Relay;
using Scoring.Benchmarks.Trees;

namespace Scoring.Benchmarks;

/// <summary>The verbs: <c>ratios</c> compares us with rivals, <c>workers</c> with another build or setting, <c>commits</c> shows what transactions cost, <c>recovery</c> what state does, <c>bench</c> looks at our own parts with BenchmarkDotNet, <c>relay</c> is a rival in a process of its own.</summary>
internal static class Verbs
{
    private static readonly string[] Parts = ["decode", "features", "trees", "relay"];

    /// <summary>Runs one verb.</summary>
    public static Task<int> RunAsync(string[] args)
    {
        // Everything behind "bench" is BenchmarkDotNet's.
        if (args is ["bench", ..])
        {
            BenchmarkSwitcher.FromAssembly(typeof(Verbs).Assembly).Run(args[1..]);
            return Task.FromResult(0);
        }

        var quick = new Option<bool>("--quick") { Description = "Less of everything, under a minute: shows that all runs, not how fast it is." };
        var bootstrap = new Option<string?>("--bootstrap")
        {
            Description = "A real broker. Default: the environment's KAFKA_BOOTSTRAP_SERVERS.",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS"),
        };
        var worker = new Option<FileInfo>("--worker")
        {
            Description = "The worker to run, Scoring.Worker.dll. Default: the one built with this program.",
            DefaultValueFactory = _ => new FileInfo(Path.Combine(AppContext.BaseDirectory, "Scoring.Worker.dll")),
        };
        var events = new Option<int?>("--events") { Description = "Events that a worker is measured with, of which the first half pays for the start, 10,000 or more. Default: a million, with --quick 60,000." };
        events.Validators.Add(result => Refuse(result, events.Name, result.GetValueOrDefault<int?>() < 10_000, "must be 10,000 or more"));
        var root = new RootCommand("FraudScoring's benchmarks. All but 'bench' measure side by side, in one run.")
        {
            Ratios(bootstrap, worker, quick, events),
            WorkerTurns.Create(bootstrap, worker, quick, events),
            CommitPrice.Create(bootstrap, worker, quick),
            RecoveryTime.Create(bootstrap, worker),
            RelayProcess.Create(),
            new Command("bench", "BenchmarkDotNet on single parts; what follows are its own options."),
        };
        return root.Parse(args).InvokeAsync();
    }

    /// <summary>Tells that an option's value will not do.</summary>
    internal static void Refuse(OptionResult result, string name, bool isWrong, string why)
    {
        if (isWrong)
        {
            result.AddError($"{name} {why}");
        }
    }

    private static Command Ratios(Option<string?> bootstrap, Option<FileInfo> worker, Option<bool> quick, Option<int?> events)
    {
        var only = new Option<string>("--only") { Description = "One part.", HelpName = string.Join('|', Parts) };
        only.AcceptOnlyFromAmong(Parts);
        var service = new Option<string>("--service") { Description = "One service of the relay.", HelpName = string.Join('|', WorkerService.Names) };
        service.AcceptOnlyFromAmong(WorkerService.Names);
        var command = new Command("ratios", "Prints our cost against that of rivals on the same inputs.") { only, quick, bootstrap, worker, service, events };
        command.SetAction(async (parsed, stopping) =>
        {
            bool isQuick = parsed.GetValue(quick);
            Pace pace = isQuick ? Pace.Quick : Pace.Full;
            var table = new RatioTable(parsed.InvocationConfiguration.Output);
            var skipped = new List<string>();
            table.Begin();
            Add("decode", () => DecodeRatios.Run(pace));
            Add("features", () => FeatureRatios.Run(pace, isQuick));
            Add("trees", () => TreeRatios.Run(pace));
            if (Wants("relay"))
            {
                string? servers = parsed.GetValue(bootstrap);
                if (string.IsNullOrEmpty(servers))
                {
                    skipped.Add("relay is skipped: it needs a real broker, named by --bootstrap or KAFKA_BOOTSTRAP_SERVERS.");
                }
                else
                {
                    await foreach (var row in RelayRatio.RunAsync(servers, parsed.GetValue(worker)!, parsed.GetValue(service), isQuick, parsed.GetValue(events), stopping))
                    {
                        table.Add(row);
                    }
                }
            }

            table.End(skipped);
            return 0;

            bool Wants(string part) => parsed.GetValue(only) is not { } one || string.Equals(one, part, StringComparison.Ordinal);

            void Add(string part, Func<IEnumerable<Ratio>> run)
            {
                if (!Wants(part))
                {
                    return;
                }

                foreach (var row in run())
                {
                    table.Add(row);
                }
            }
        });
        return command;
    }
}
