using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A worker in this process, on a free port.</summary>
internal sealed class WorkerRun : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ILoggerFactory logging = LoggerFactory.Create(builder => builder.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
    private readonly IPEndPoint http = FreePort();
    private readonly Task<int> running;

    /// <summary>Starts it.</summary>
    /// <param name="service">What it scores.</param>
    /// <param name="group">Its consumer group; null: the service's own.</param>
    /// <param name="lanes">Threads.</param>
    /// <param name="rowsMax">Rows of a batch.</param>
    /// <param name="from">Where a new group starts.</param>
    /// <param name="client">Properties of librdkafka.</param>
    /// <param name="inFlightMax">Records that may be unacknowledged.</param>
    public WorkerRun(TestService service, string? group, int lanes = 2, int rowsMax = 256, string from = "earliest", Dictionary<string, string>? client = null, int inFlightMax = 50_000) =>
        running = WorkerProcess.RunAsync(
            new WorkerSettings
            {
                Kafka = new KafkaOptions { BootstrapServers = service.Broker.BootstrapServers, Group = group, From = from, Client = client ?? [] },
                Lanes = new LaneOptions { Lanes = lanes, RowsMax = rowsMax, CommitIntervalMs = 50, EmitFeatures = true, InFlightMax = inFlightMax },
                Operations = new OperationsOptions { Http = http },
                Serving = new ServingOptions { Definition = service.DefinitionPath, WithoutModel = true },
                Aggregates = new AggregatesOptions(),
            },
            TimeProvider.System,
            logging,
            stop.Token);

    /// <summary>Waits until <c>/health/ready</c> says yes.</summary>
    public async Task ReadyAsync(CancellationToken cancellation)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{http}") };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellation);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    /// <summary>What <c>/metrics</c> says of one series; 0 where it is not there.</summary>
    public async Task<double> MetricAsync(string series, CancellationToken cancellation)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{http}") };
        try
        {
            string text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellation);
            return text.Split('\n').Where(line => line.StartsWith(series + " ", StringComparison.Ordinal)).Select(line => double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture)).FirstOrDefault();
        }
        catch (HttpRequestException)
        {
            return 0; // Not listening yet.
        }
    }

    /// <summary>Stops as SIGTERM does.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        await stop.CancelAsync();
        return await running;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
        logging.Dispose();
    }

    private static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
