using System.Globalization;
using System.Net;
using Scoring.EndToEnd.Tests.Operations;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Packaging;
using Scoring.Trainer.Watching;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>Worker and <c>watch</c> as two processes, as in production, joined by Kafka alone.</summary>
/// <param name="bootstrapServers">The broker.</param>
/// <param name="definition">Path of the service definition.</param>
/// <param name="key">Path of the trainer's key pair, without its endings.</param>
/// <param name="data">The trainer's folder.</param>
/// <param name="group">The worker's consumer group.</param>
/// <param name="watchOptions">When the trainer trains, on what.</param>
internal sealed class LoopPrograms(string bootstrapServers, string definition, string key, string data, string group, IReadOnlyList<string> watchOptions) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly HttpDoor http = new(HttpDoor.FreePort());
    private OwnProgram? worker;
    private OwnProgram? watch;

    /// <summary>The worker that was started last.</summary>
    public OwnProgram Worker => worker!;

    /// <summary>The trainer that was started last.</summary>
    public OwnProgram Watch => watch!;

    /// <summary>Starts the worker; a static member, so that one that was killed gets its partitions back at once.</summary>
    public void StartWorker() => worker = OwnProgram.StartWorker(
        "run", "--bootstrap-servers", bootstrapServers, "--definition", definition, "--verification-key", key + ".pub.pem", "--lanes", "2", "--group", group,
        "--http", http.EndPoint.ToString(), "--set", "Kafka:InstanceId=loop");

    /// <summary>Starts the trainer, recorded days as its clock.</summary>
    public void StartWatch() => watch = OwnProgram.Start(
        "Scoring.Trainer",
        [
            "watch", "--definition", definition, "--bootstrap-servers", bootstrapServers, "--data", data, "--key", key + ".key.pem", "--verification-key", key + ".pub.pem",
            "--clock", "event", .. watchOptions,
        ]);

    /// <summary>SIGKILL, then another.</summary>
    public async Task KillWorkerAsync()
    {
        await Worker.KillAsync();
        await Worker.DisposeAsync();
        StartWorker();
    }

    /// <summary>SIGKILL, then another.</summary>
    public async Task KillWatchAsync()
    {
        await Watch.KillAsync();
        await Watch.DisposeAsync();
        StartWatch();
    }

    /// <summary>Stops the trainer as a service is stopped, and reads what it has recorded; starts it again while that is not all: one that was just started may not have come to it.</summary>
    public async Task<List<string>> EndWatchAsync(int recordCount)
    {
        while (true)
        {
            await UntilAsync(() => Task.FromResult(Watch.Printed.Contains("watching ", StringComparison.Ordinal)), Watch, "the trainer does not begin");
            Assert.Equal(0, await Watch.TerminateAsync());
            var lines = await RecordedHistory.LinesAsync(data, definition);
            if (lines.Count >= recordCount)
            {
                return lines;
            }

            await Watch.DisposeAsync();
            StartWatch();
        }
    }

    /// <summary>Waits for what the trainer decides at a time.</summary>
    public async Task<WatchDecision> DecisionAsync(DateTimeOffset at)
    {
        string path = Path.Combine(data, "decisions", at.ToString("yyyy-MM-dd'T'HH-mm-ss'Z.json'", CultureInfo.InvariantCulture));
        await UntilAsync(() => Task.FromResult(File.Exists(path)), Watch, $"there is no decision of {at:yyyy-MM-dd}");
        return PackageJson.Read<WatchDecision>(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), out string problem) ?? throw new InvalidDataException(problem);
    }

    /// <summary>Waits until the worker scores with a package of this sequence or a later one.</summary>
    public Task SwappedAsync(long sequence) => UntilAsync(
        async () =>
        {
            try
            {
                var (status, body) = await http.GetAsync("/metrics", TestContext.Current.CancellationToken);
                return status == HttpStatusCode.OK && new MetricsPage(body)["fraudscoring_model_sequence"] >= sequence;
            }
            catch (HttpRequestException)
            {
                return false; // Not listening yet.
            }
        },
        Worker,
        $"the worker does not score with sequence {sequence}");

    public async ValueTask DisposeAsync()
    {
        await (worker?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (watch?.DisposeAsync() ?? ValueTask.CompletedTask);
        http.Dispose();
    }

    private static async Task UntilAsync(Func<Task<bool>> isThere, OwnProgram program, string complaint)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (!await isThere())
        {
            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail($"{complaint} after {Patience.TotalMinutes} min; the program said:\n{program.Printed}");
            }

            Assert.False(program.HasEnded, $"{complaint}; the program ended and said:\n{program.Printed}");
        }
    }
}
