using Microsoft.Extensions.Logging;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Devices;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>The device that scores beside the processor: chosen once, at start, and given to each model before lanes take it.</summary>
/// <remarks>Whatever a device lacks, models score on the processor, and a log line and a metric say why.</remarks>
internal sealed class ServingDevice(ExecutionProvider provider, DeviceOptions options, DeviceMetrics metrics, ILogger logger)
{
    /// <summary>Opens what the settings ask for.</summary>
    /// <returns>The device; null where the processor scores alone.</returns>
    public static ServingDevice? Open(ServingOptions options, DeviceMetrics metrics, ILogger logger)
    {
        if (options.ExecutionProvider is "cpu")
        {
            return null;
        }

        bool isPromised = options.ExecutionProvider is not "auto";
        metrics.Wanted.Set(isPromised ? 1 : 0);
        if (ExecutionProvider.OpenCuda(options.ExecutionProviderLibrary, options.DeviceId, out var fault) is { } provider)
        {
            LogMessages.DeviceOpened(logger, provider.Name, options.DeviceId, options.ExecutionProviderLibrary ?? "ONNX Runtime's own");
            metrics.Wanted.Set(1);
            return new ServingDevice(provider, options.Device, metrics, logger);
        }

        metrics.Refusals.WithLabels(fault!.Reason).Inc();
        LogMessages.DeviceRefused(logger, isPromised ? LogLevel.Warning : LogLevel.Information, fault.Reason, fault.Sentence);
        return null;
    }

    /// <summary>Loads an ensemble onto the device, or says why not. Never throws: the ensemble scores on the processor as before.</summary>
    public void Give(Ensemble ensemble)
    {
        DeviceFault? fault;
        try
        {
            fault = ensemble.UseDevice(provider, options with { Launched = Launched });
        }
        catch (Exception mistake) // Native code: what it throws must not keep a model from scoring.
        {
            fault = new DeviceFault(DeviceFaultCode.SessionFailed, mistake.Message);
        }

        metrics.Active.Set(fault is null ? 1 : 0);
        if (fault is null)
        {
            LogMessages.DeviceScores(logger, ensemble.Version, provider.Name, options.RowsMin);
            return;
        }

        metrics.Refusals.WithLabels(fault.Reason).Inc();
        LogMessages.DeviceRefused(logger, LogLevel.Warning, fault.Reason, fault.Sentence);
    }

    private void Launched(int rowCount, string? failure)
    {
        metrics.LaunchRows.Observe(rowCount);
        if (failure is not null)
        {
            metrics.LaunchFailures.Inc();
            LogMessages.StepFailed(logger, "device", failure);
        }
    }
}
