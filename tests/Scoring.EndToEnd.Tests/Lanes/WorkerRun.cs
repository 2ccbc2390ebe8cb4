using System.Net;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A worker in this process, on a free port.</summary>
internal sealed class WorkerRun : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ILoggerFactory logging = LoggerFactory.Create(builder => builder.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
    private readonly Task<int> running;

    public WorkerRun(TestService service, string group, int lanes = 2, int rowsMax = 256, string from = "earliest") =>
        running = WorkerProcess.RunAsync(
            new WorkerSettings
            {
                Kafka = new KafkaOptions { BootstrapServers = service.Broker.BootstrapServers, Group = group, From = from },
                Lanes = new LaneOptions { Lanes = lanes, RowsMax = rowsMax, CommitIntervalMs = 50, EmitFeatures = true },
                Operations = new OperationsOptions { Http = new IPEndPoint(IPAddress.Loopback, 0) },
                Serving = new ServingOptions { Definition = service.DefinitionPath, WithoutModel = true },
                Aggregates = new AggregatesOptions(),
            },
            TimeProvider.System,
            logging,
            stop.Token);

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
        await running.ConfigureAwait(ConfigureAwaitOptions.None);
        stop.Dispose();
        logging.Dispose();
    }
}
