using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Scoring.Models.Ensembles;
using Scoring.Models.Events.Scores;
using Scoring.Models.Features;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>Scores by the best step that works: the full ensemble, the trees alone, nothing (then rules decide).</summary>
/// <remarks>
/// Where a device is (<see cref="DeviceStep"/>) it is asked for the full ensemble first.
/// A network that has only failed, or answered later than allowed, for ten seconds, three times at least, is left out for five seconds, then tried again.
/// An answer that came late is still used: it is right, and the next batches will not wait.
/// </remarks>
internal sealed class ScoringLadder
{
    private readonly ResiliencePipeline<TimeSpan> circuit;
    private readonly DeviceStep device;
    private readonly TimeProvider clock;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;
    private readonly TimeSpan slow;

    /// <summary>Starts with every step allowed.</summary>
    public ScoringLadder(int networkTimeoutMs, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        this.clock = clock;
        this.metrics = metrics;
        this.logger = logger;
        slow = TimeSpan.FromMilliseconds(networkTimeoutMs);
        device = new DeviceStep(clock, metrics.Device, logger);
        circuit = new ResiliencePipelineBuilder<TimeSpan> { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<TimeSpan>
            {
                FailureRatio = 1,
                MinimumThroughput = 3,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is not null || IsLate(arguments.Outcome.Result)),
                OnOpened = _ => Tell("open", 1),
                OnClosed = _ => Tell("closed", 0),
                OnHalfOpened = _ => Tell("half-open", 1),
            })
            .Build();
    }

    /// <summary>Scores the first rows of a block; without a usable step every probability is NaN.</summary>
    /// <returns>What was missing.</returns>
    public Degradation Score(Ensemble? ensemble, FeatureBlock block, int rowCount, EnsembleScores output)
    {
        if (ensemble is null)
        {
            return Without(output, rowCount, "no_model");
        }

        if (device.TryScore(ensemble, block, rowCount, output))
        {
            NoteMissing(ensemble, output, rowCount);
            return Degradation.None;
        }

        if (!ensemble.HasNetwork)
        {
            return Trees(ensemble, block, rowCount, output, Degradation.None);
        }

        try
        {
            var taken = circuit.Execute(
                static attempt =>
                {
                    long started = attempt.Clock.GetTimestamp();
                    attempt.Ensemble.Score(attempt.Block, attempt.RowCount, attempt.Output);
                    return attempt.Clock.GetElapsedTime(started);
                },
                (Clock: clock, Ensemble: ensemble, Block: block, RowCount: rowCount, Output: output));
            if (IsLate(taken))
            {
                metrics.NetworkLate.Inc(); // And used all the same.
            }

            NoteMissing(ensemble, output, rowCount);
            return Degradation.None;
        }
        catch (BrokenCircuitException)
        {
            // Left out for a while: said when the circuit opened.
        }
        catch (Exception failure) // Native code: whatever it throws, the trees answer.
        {
            LogMessages.StepFailed(logger, "full", failure.Message);
        }

        if (!ensemble.HasTrees)
        {
            return Without(output, rowCount, "network_failed");
        }

        metrics.Fallback.WithLabels("network_failed").Inc(rowCount);
        return Trees(ensemble, block, rowCount, output, Degradation.TreesOnly);
    }

    private bool IsLate(TimeSpan taken) => taken > slow;

    /// <summary>Counts the rows for which a network gave no number.</summary>
    private void NoteMissing(Ensemble ensemble, EnsembleScores output, int rowCount)
    {
        if (!ensemble.HasNetwork)
        {
            return;
        }

        int missing = 0;
        foreach (double value in output.Network.AsSpan(0, rowCount))
        {
            missing += double.IsNaN(value) ? 1 : 0;
        }

        if (missing > 0)
        {
            metrics.Fallback.WithLabels("network_no_number").Inc(missing);
        }
    }

    private Degradation Trees(Ensemble ensemble, FeatureBlock block, int rowCount, EnsembleScores output, Degradation degradation)
    {
        try
        {
            ensemble.Score(block, rowCount, output, EnsembleStep.TreesOnly);
            return degradation;
        }
        catch (Exception failure) // The last step before rules: an error never poses as a score.
        {
            LogMessages.StepFailed(logger, "trees", failure.Message);
            return Without(output, rowCount, "trees_failed");
        }
    }

    private Degradation Without(EnsembleScores output, int rowCount, string reason)
    {
        metrics.Fallback.WithLabels(reason).Inc(rowCount);
        output.Probability.AsSpan(0, rowCount).Fill(double.NaN);
        output.Trees.AsSpan(0, rowCount).Fill(double.NaN);
        output.Network.AsSpan(0, rowCount).Fill(double.NaN);
        return Degradation.RulesOnly;
    }

    private ValueTask Tell(string state, double open)
    {
        metrics.CircuitOpen.Set(open);
        LogMessages.Circuit(logger, state);
        return ValueTask.CompletedTask;
    }
}
