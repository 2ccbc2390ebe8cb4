using System.CommandLine;
using System.Globalization;
using Scoring.Faults.Rows;

namespace Scoring.Faults;

/// <summary>The one verb, <c>matrix</c>.</summary>
internal static class Verbs
{
    /// <summary>Runs it.</summary>
    /// <returns>0; 65 when a row is not what it must be; 64 for a wrong command line.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Does a worker answer each transaction once while it, its group and its brokers fail?") { Matrix() };
        return root.Parse(args).InvokeAsync();
    }

    private static Command Matrix()
    {
        var kafka = new Option<FileInfo?>("--kafka") { Description = "Script that starts, kills, restarts, pauses and resumes brokers. Without it a running Kafka is taken and brokers are left alone.", HelpName = "SCRIPT" };
        var servers = new Option<string?>("--bootstrap-servers")
        {
            Description = "A running Kafka. Default: the environment's KAFKA_BOOTSTRAP_SERVERS.",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS"),
        };
        var port = new Option<int>("--port") { Description = "First port of the brokers that --kafka starts; controllers listen 10,000 above.", DefaultValueFactory = _ => 19_292 };
        var brokers = new Option<int>("--brokers") { Description = "Brokers that --kafka starts, 1 or 3.", DefaultValueFactory = _ => 1 };
        var seed = new Option<int>("--seed") { Description = "Of the payments, and of when which fault hits what.", DefaultValueFactory = _ => 1 };
        var injections = new Option<int>("--injections") { Description = "Faults in each row, 1 to 1000.", DefaultValueFactory = _ => 5 };
        var rate = new Option<int>("--rate") { Description = "Payments a second, 100 to 5000.", DefaultValueFactory = _ => 600 };
        var rows = new Option<string?>("--rows") { Description = "Rows to run, separated by commas. Default: all that the brokers allow.", HelpName = string.Join(',', FaultRow.All.Select(row => row.Name)) };
        var set = new Option<string[]>("--set") { Description = "Any setting, for every worker. With Kafka:Delivery=at_least_once, a killed worker's repetitions must be found.", HelpName = "SECTION:NAME=VALUE" };
        var report = new Option<FileInfo?>("--report") { Description = "Writes the table as Markdown too.", HelpName = "FILE" };
        var command = new Command("matrix", "Runs the rows one after the other: payments flow, faults hit, all heals, all is drained, 'worker verify' judges.") { kafka, servers, port, brokers, seed, injections, rate, rows, set, report };
        brokers.AcceptOnlyFromAmong("1", "3");
        Bound(injections, 1, 1_000);
        Bound(rate, 100, 5_000);
        Bound(port, 1_024, 55_000);
        command.SetAction(async (parsed, stopping) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var errors = parsed.InvocationConfiguration.Error;
            var script = parsed.GetValue(kafka);
            if (script is null && string.IsNullOrEmpty(parsed.GetValue(servers)))
            {
                await errors.WriteLineAsync("--kafka or --bootstrap-servers: which Kafka?");
                return 64;
            }

            int brokerCount = parsed.GetValue(brokers);
            string[] names = parsed.GetValue(rows)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
            if (names.FirstOrDefault(name => FaultRow.All.All(row => row.Name != name)) is { } unknown)
            {
                await errors.WriteLineAsync($"--rows: there is no row '{unknown}'; there are {rows.HelpName}");
                return 64;
            }

            var plan = new MatrixPlan
            {
                Seed = parsed.GetValue(seed),
                Injections = parsed.GetValue(injections),
                Rate = parsed.GetValue(rate),
                BrokerCount = brokerCount,
                Settings = parsed.GetValue(set) ?? [],
                Rows = [.. FaultRow.All.Where(row => names.Length > 0 ? names.Contains(row.Name, StringComparer.Ordinal) : row.IsPossible(script is null ? 0 : brokerCount))],
            };
            if (plan.Rows.FirstOrDefault(row => !row.IsPossible(script is null ? 0 : brokerCount)) is { } impossible)
            {
                await errors.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"--rows: '{impossible.Name}' needs --kafka and at least {impossible.BrokersMin} brokers, at most {impossible.BrokersMax}"));
                return 64;
            }

            await using var cluster = script is null
                ? new Cluster(parsed.GetValue(servers)!)
                : await Cluster.StartAsync(script, parsed.GetValue(port), brokerCount, plan.Rows.Any(row => row.IsWired), stopping);
            return await new Matrix(plan, cluster, errors).RunAsync(output, parsed.GetValue(report), stopping);
        });
        return command;
    }

    private static void Bound(Option<int> option, int least, int most) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is var value && (value < least || value > most))
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it may be {least} to {most}"));
        }
    });
}
