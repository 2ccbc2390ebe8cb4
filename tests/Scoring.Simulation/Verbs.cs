using System.CommandLine;
using System.Globalization;
using Scoring.Simulation.Histories;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Lanes;

namespace Scoring.Simulation;

/// <summary>The verbs: <c>run</c>, <c>replay</c>.</summary>
internal static class Verbs
{
    /// <summary>Runs one.</summary>
    /// <returns>0; 65 when a history is not good; 64 for a wrong command line.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Does a worker answer each transaction once? Its code on a simulated broker, network and clock; a seed is a history.") { Run(), Replay() };
        return root.Parse(args).InvokeAsync();
    }

    private static Option<PlantedBug> Bug() => new("--bug") { Description = "A mistake that the worker is to make.", HelpName = string.Join('|', Enum.GetNames<PlantedBug>()) };

    private static Command Run()
    {
        var seeds = new Option<int>("--seeds") { Description = "How many.", DefaultValueFactory = _ => 1_000 };
        var from = new Option<int>("--from") { Description = "The first.", DefaultValueFactory = _ => 1 };
        var parallel = new Option<int>("--parallel") { Description = "Histories at a time, each on one thread.", DefaultValueFactory = _ => 1 };
        var bug = Bug();
        var first = new Option<bool>("--first") { Description = "Ends with the first that is not good." };
        var command = new Command("run", "Runs a range of seeds and prints those that are not good.") { seeds, from, parallel, bug, first };
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            long started = TimeProvider.System.GetTimestamp();
            var run = new SeedRun(parsed.GetValue(from), parsed.GetValue(seeds), parsed.GetValue(bug), parsed.GetValue(first));
            var errors = parsed.InvocationConfiguration.Error;
            run.Go(parsed.GetValue(parallel), bad => output.WriteLine(bad), done => errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} seeds, {run.Bad} not good, {TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s")));
            var took = TimeProvider.System.GetElapsedTime(started);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Done} seeds, {run.Bad} not good, {run.Records} transactions, {run.Values} values compared, {run.Hours:F1} h of their own clocks, {run.Unavailable} ended with 69; {took.TotalSeconds:F0} s, {run.Done / took.TotalSeconds:F0} a second"));
            return run.Bad == 0 ? 0 : 65;
        });
        return command;
    }

    private static Command Replay()
    {
        var seed = new Option<int>("--seed") { Description = "Which.", Required = true };
        var trace = new Option<bool>("--trace") { Description = "Prints what happens." };
        var bug = Bug();
        var lost = new Option<double>("--lost-markers") { Description = "Share of the aborted transactions that the broker never closes, 0 to 1. Where it is above 0, workers stop, and the history does not come to its end." };
        var command = new Command("replay", "Runs one seed's history again.") { seed, trace, bug, lost };
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            using var threads = new ActorThreads();
            var plan = HistoryPlan.Of(parsed.GetValue(seed), parsed.GetValue(bug)) with { LostMarkers = parsed.GetValue(lost) };
            output.WriteLine(plan);
            foreach (var fault in plan.Faults)
            {
                output.WriteLine(fault);
            }

            var outcome = History.Run(plan, new SimulatedService(), threads, parsed.GetValue(trace) ? output : null);
            output.WriteLine(outcome);
            return outcome.IsGood ? 0 : 65;
        });
        return command;
    }
}
