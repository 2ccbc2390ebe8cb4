using System.Net;
using Scoring.EndToEnd.Tests.Operations;

namespace Scoring.Benchmarks.Relay;

/// <summary>How a worker did at a steady rate of events.</summary>
/// <param name="VisibleMs">From handing an event to a producer until a reader of committed records has its score, in the middle; ms.</param>
/// <param name="VisibleHighMs">The same, 99 of 100 at most.</param>
/// <param name="Commit">Its commits meanwhile.</param>
internal sealed record SteadyRun(double VisibleMs, double VisibleHighMs, CommitTimes Commit)
{
    /// <summary>Starts a worker on topics of its own, and measures once its compiler is done.</summary>
    /// <param name="servers">Brokers.</param>
    /// <param name="run">Name of the topics and the group.</param>
    /// <param name="worker">The worker's program.</param>
    /// <param name="inputs">What it starts from.</param>
    /// <param name="settings">Settings of it.</param>
    /// <param name="environment">Variables of it.</param>
    /// <param name="rate">Events a second.</param>
    /// <param name="measured">How long to measure.</param>
    /// <param name="stopping">Ends it early.</param>
    public static async Task<SteadyRun> RunAsync(string servers, string run, FileInfo worker, WorkerInputs inputs, string[] settings, string[] environment, int rate, TimeSpan measured, CancellationToken stopping)
    {
        using var topics = await BenchmarkTopics.CreateAsync(servers, WorkerInputs.Topics(run));
        try
        {
            using var latency = new VisibleLatency(servers, $"{run}.in", $"{run}.scores", rate, measured, stopping);
            using var http = new HttpDoor(HttpDoor.FreePort());
            await using var process = new RunningProgram(worker.FullName, inputs.Arguments(servers, run, run, http.EndPoint.ToString(), settings), environment);
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                patience.CancelAfter(TimeSpan.FromSeconds(60));
                await http.UntilAsync("/health/ready", answer => answer.Status == HttpStatusCode.OK, patience.Token);
                var running = latency.RunAsync();
                if (await Task.WhenAny(running, latency.WarmedUp) == running)
                {
                    await running; // It failed.
                }

                string before = await MetricsAsync();
                var (median, high) = await running;
                return new SteadyRun(median, high, CommitTimes.Of(await MetricsAsync(), before));
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                throw process.Failure("was not ready, or did not answer all events");
            }

            async Task<string> MetricsAsync() => (await http.GetAsync("/metrics", stopping)).Body;
        }
        finally
        {
            await topics.RemoveAsync();
        }
    }
}
