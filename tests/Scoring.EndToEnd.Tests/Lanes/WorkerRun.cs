using System.Net;
using Microsoft.Extensions.Logging;
using Scoring.EndToEnd.Tests.Operations;
using Scoring.Worker.Configuration;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A worker in this process, on a free port.</summary>
internal sealed class WorkerRun : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ILoggerFactory logging = LoggerFactory.Create(builder => builder.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
    private readonly HttpDoor http = new(HttpDoor.FreePort());
    private readonly Task<int> running;

    /// <summary>Starts it.</summary>
    /// <param name="service">What it scores.</param>
    /// <param name="group">Its consumer group; null: the service's own.</param>
    /// <param name="lanes">Threads.</param>
    /// <param name="rowsMax">Rows of a batch.</param>
    /// <param name="from">Where a new group starts.</param>
    /// <param name="refusedBytesMax">Bytes of refused records that may wait; null: as many as usual.</param>
    /// <param name="planted">Mistakes it makes.</param>
    /// <param name="crashDirectory">Where it notes what it has in hand; null: nowhere.</param>
    /// <param name="delivery">How it delivers; null: exactly once where the broker can.</param>
    public WorkerRun(TestService service, string? group, int lanes = 2, int rowsMax = 256, string from = "earliest", string? delivery = null, int? refusedBytesMax = null, Planted? planted = null, string? crashDirectory = null) =>
        running = WorkerProcess.RunAsync(
            new WorkerSettings
            {
                Kafka = new KafkaOptions { BootstrapServers = service.Broker.BootstrapServers, Group = group, From = from, Delivery = delivery ?? service.Broker.Delivery },
                Lanes = new LaneOptions { Lanes = lanes, RowsMax = rowsMax, CommitIntervalMs = 50, EmitFeatures = true, CrashDirectory = crashDirectory, RefusedBytesMax = refusedBytesMax ?? new LaneOptions().RefusedBytesMax },
                Operations = new OperationsOptions { Http = http.EndPoint },
                Serving = service.Serving,
                Aggregates = new AggregatesOptions(),
            },
            TimeProvider.System,
            logging,
            stop.Token,
            planted);

    /// <summary>Where it answers.</summary>
    public IPEndPoint EndPoint => http.EndPoint;

    /// <summary>Done when the worker has ended: its exit code.</summary>
    public Task<int> Running => running;

    /// <summary>Waits until <c>/health/ready</c> says yes.</summary>
    public Task ReadyAsync(CancellationToken cancellation) => http.UntilAsync("/health/ready", answer => answer.Status == HttpStatusCode.OK, cancellation);

    /// <summary>One page.</summary>
    public Task<(HttpStatusCode Status, string Body)> GetAsync(string path, CancellationToken cancellation) => http.GetAsync(path, cancellation);

    /// <summary>Reads <c>/metrics</c> until it shows what is wanted: some of it is brought up to date once a second.</summary>
    public async Task<MetricsPage> MetricsAsync(Func<MetricsPage, bool> isWanted, CancellationToken cancellation) =>
        new(await http.UntilAsync("/metrics", answer => answer.Status == HttpStatusCode.OK && isWanted(new MetricsPage(answer.Body)), cancellation));

    /// <summary>Stops as SIGTERM does.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        await stop.CancelAsync();
        return await running;
    }

    /// <summary>Stops as SIGTERM does once it has its partitions: a group that assigns takes no commits, and an embedded broker's takes nine seconds for that when a lane joins late.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopWhenReadyAsync(CancellationToken cancellation)
    {
        await ReadyAsync(cancellation);
        return await StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
        http.Dispose();
        logging.Dispose();
    }
}
