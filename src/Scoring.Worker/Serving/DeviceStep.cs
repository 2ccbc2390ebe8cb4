using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Features;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>The step above the ladder: the full ensemble on a device. Where it does not answer, the processor gives the same scores, and nothing is degraded.</summary>
/// <remarks>A device that has only failed or been late for ten seconds, three times at least, is left out for five seconds, then tried again. One for each lane.</remarks>
internal sealed class DeviceStep
{
    private readonly ResiliencePipeline<DeviceOutcome> circuit;
    private readonly DeviceMetrics metrics;
    private readonly ILogger logger;

    /// <summary>Starts with the device allowed.</summary>
    public DeviceStep(TimeProvider clock, DeviceMetrics metrics, ILogger logger)
    {
        this.metrics = metrics;
        this.logger = logger;
        circuit = new ResiliencePipelineBuilder<DeviceOutcome> { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<DeviceOutcome>
            {
                FailureRatio = 1,
                MinimumThroughput = 3,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is not null || arguments.Outcome.Result != DeviceOutcome.Scored),
                OnOpened = _ => Tell("open", 1),
                OnClosed = _ => Tell("closed", 0),
                OnHalfOpened = _ => Tell("half-open", 1),
            })
            .Build();
    }

    /// <summary>Scores the first rows of a block when there is a device, it works, and they are worth the way.</summary>
    /// <returns>False when <paramref name="output"/> is still to be filled.</returns>
    public bool TryScore(Ensemble ensemble, FeatureBlock block, int rowCount, EnsembleScores output)
    {
        if (rowCount < ensemble.DeviceRowsMin)
        {
            return false;
        }

        try
        {
            var outcome = circuit.Execute(
                static attempt => attempt.Ensemble.ScoreOnDevice(attempt.Block, attempt.RowCount, attempt.Output),
                (Ensemble: ensemble, Block: block, RowCount: rowCount, Output: output));
            if (outcome == DeviceOutcome.Scored)
            {
                return true;
            }

            metrics.Fallbacks.WithLabels(DeviceMetrics.Wire(outcome)).Inc();
        }
        catch (BrokenCircuitException)
        {
            metrics.Fallbacks.WithLabels(DeviceMetrics.CircuitIsOpen).Inc();
        }

        return false;
    }

    private ValueTask Tell(string state, double open)
    {
        metrics.CircuitOpen.Set(open);
        LogMessages.DeviceCircuit(logger, state);
        return ValueTask.CompletedTask;
    }
}
