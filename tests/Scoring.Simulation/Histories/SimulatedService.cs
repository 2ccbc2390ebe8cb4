using System.Text;
using Microsoft.Extensions.Logging;
using Scoring.Models.Definitions;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Simulation.Histories;

/// <summary>The service of every history: an account's window, a merchant that all partitions see, labels, repeats, a rule that alerts; no model.</summary>
/// <remarks>Immutable but for counters, which decide nothing; one for each thread that runs histories.</remarks>
internal sealed class SimulatedService
{
    private const string Json = """
        {
          "service": "simulated",
          "events": {},
          "labels": { "delay": "6h", "recent_transactions_max": 1000 },
          "duplicates": { "window": "2d", "transactions_max": 600 },
          "entities": {
            "account": { "key": ["account_id"], "events_max": 128, "keys_max": 20 },
            "merchant": { "key": ["merchant_id"], "keys_max": 1500, "shared": { "pane": "1h", "settle": "2h" } }
          },
          "features": [
            { "name": "amount_now", "aggregate": "value", "of": "amount" },
            { "name": "account_count_1d", "entity": "account", "aggregate": "count", "window": "1d" },
            { "name": "account_mean_3d", "entity": "account", "aggregate": "mean", "of": "amount", "window": "3d" },
            { "name": "account_gap", "entity": "account", "aggregate": "time_since_last" },
            { "name": "account_rate_3d", "entity": "account", "aggregate": "label_rate", "window": "3d" },
            { "name": "merchant_count_12h", "entity": "merchant", "aggregate": "count", "window": "12h" },
            { "name": "merchant_mean_1d", "entity": "merchant", "aggregate": "mean", "of": "amount", "window": "1d" },
            { "name": "merchant_rate_3d", "entity": "merchant", "aggregate": "label_rate", "window": "3d" }
          ],
          "rules": [{ "name": "large", "when": "amount_minor > 12000 || merchant_count_12h > 6", "then": "review" }],
          "topics": {
            "transactions": "in", "labels": "labels", "scores": "scores", "alerts": "alerts", "dead_letters": "dlq", "aggregates": "aggregates", "state": "state", "models": "models"
          }
        }
        """;

    /// <summary>Compiles it.</summary>
    public SimulatedService()
    {
        var reading = ServiceDefinitionReader.Read(Encoding.UTF8.GetBytes(Json));
        Service = new Service(reading.Definition ?? throw new InvalidOperationException(string.Join('\n', reading.Faults)), new ModelSlot());
        Service.Models.Swap(new ServingModel(Service.Definition, Service.Schema, ensemble: null));
        Prometheus.Metrics.SuppressDefaultMetrics();
        Metrics = new WorkerMetrics(Prometheus.Metrics.NewCustomRegistry());
    }

    /// <summary>The service.</summary>
    public Service Service { get; }

    /// <summary>Counters of all workers.</summary>
    public WorkerMetrics Metrics { get; }
}

/// <summary>What workers log, as lines of the trace.</summary>
internal sealed class TraceLogger(Scheduling.World world, string name) : ILogger
{
    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => world.IsTraced && logLevel >= LogLevel.Information;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            world.Print(name, formatter(state, exception));
        }
    }
}
