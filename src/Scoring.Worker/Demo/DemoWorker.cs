using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;

namespace Scoring.Worker.Demo;

/// <summary>The worker of a demo, started without a model: what it says about itself, and when it is ready.</summary>
internal sealed partial class DemoWorker(TimeProvider clock) : IAsyncDisposable
{
    private const int LaneCount = 1;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource<string> address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<DemoModel>> models = [];
    private DemoProcess process = null!;

    /// <summary>The process.</summary>
    public DemoProcess Process => process;

    /// <summary>Where it answers, once it is ready.</summary>
    public string Address => address.Task.Result;

    /// <summary>Starts it.</summary>
    public static DemoWorker Start(EmbeddedBroker broker, DemoFolder folder, TimeProvider clock)
    {
        var worker = new DemoWorker(clock);
        worker.process = DemoProcess.Start(
            "Scoring.Worker",
            [
                "run", "--definition", folder.Definition, "--without-model", "--verification-key", folder.Keys + ".pub.pem",
                "--bootstrap-servers", broker.BootstrapServers, "--set", $"Kafka:Client:{EmbeddedBroker.FetchWait}={EmbeddedBroker.FetchWaitMs}",
                "--set", $"Kafka:Delivery={KafkaOptions.AtLeastOnce}", // The embedded broker does not keep offsets that are committed in a transaction.
                "--http", "127.0.0.1:0", "--lanes", LaneCount.ToString(CultureInfo.InvariantCulture),
            ],
            folder,
            worker.Hear);
        return worker;
    }

    /// <summary>The model of a number, once the worker says that it scores: from there on every micro-batch is its.</summary>
    public Task<DemoModel> Takes(int number) => Model(number).Task;

    /// <summary>Waits until the worker says that it is ready.</summary>
    /// <exception cref="CommandFailure">It is not within a minute, or it has ended.</exception>
    public async Task ReadyAsync(CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) }; // Its own worker, on this machine.
        while (!address.Task.IsCompleted || !await IsReadyAsync(http, Address, stopping))
        {
            stopping.ThrowIfCancellationRequested();
            process.ThrowIfEnded();
            if (clock.GetElapsedTime(started) > StartTimeout)
            {
                throw new CommandFailure(ExitCode.Internal, FormattableString.Invariant($"the worker was not ready within {StartTimeout.TotalSeconds} s; its last lines:\n{process.Tail}"));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, stopping);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static async Task<bool> IsReadyAsync(HttpClient http, string address, CancellationToken stopping)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(address + "/health/ready"), stopping);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Hear(string line)
    {
        if (!address.Task.IsCompleted && AddressLine().Match(line) is { Success: true } where)
        {
            address.TrySetResult(where.Value);
        }
        else if (ModelLine().Match(line) is { Success: true } model)
        {
            int number = int.Parse(model.Groups["sequence"].Value, CultureInfo.InvariantCulture);
            Model(number).TrySetResult(new DemoModel(number, model.Groups["version"].Value, model.Groups["sha256"].Value));
        }
    }

    private TaskCompletionSource<DemoModel> Model(int number) => models.GetOrAdd(number, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex AddressLine();

    // The worker's own words when a model has been put into its slot (LogMessages.ModelServing).
    [GeneratedRegex(@"Model \S+ (?<version>\S+) scores \(sha256 (?<sha256>[0-9a-f]{64}), sequence (?<sequence>\d+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex ModelLine();
}
