using Prometheus;
using Scoring.Models.Ensembles.Devices;

namespace Scoring.Worker.Operations;

/// <summary>What a device that scores does, and why it does not. Every series exists from the start, at zero.</summary>
internal sealed class DeviceMetrics
{
    /// <summary>Label of micro-batches for which the device was not asked, because it failed before.</summary>
    public const string CircuitIsOpen = "circuit_open";

    /// <summary>Registers them.</summary>
    public DeviceMetrics(MetricFactory factory)
    {
        Wanted = factory.CreateGauge("fraudscoring_device_wanted", "1 where a device should score: the settings name one, or auto has found one; 0 where none is expected.");
        Active = factory.CreateGauge("fraudscoring_device_active", "1 while the model that scores is loaded on a device, 0 when the processor scores alone.");
        Refusals = factory.CreateCounter("fraudscoring_device_refusals_total", "Times a device was not opened, or a model not loaded onto it, by reason.", "reason");
        Fallbacks = factory.CreateCounter("fraudscoring_device_fallbacks_total", "Micro-batches that the processor scored in the device's place, by reason.", "reason");
        CircuitOpen = factory.CreateGauge("fraudscoring_device_circuit_open", "1 while the device is left out.");
        LaunchRows = factory.CreateHistogram("fraudscoring_device_launch_rows", "Rows of all lanes joined into one launch.", new HistogramConfiguration { Buckets = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096] });
        LaunchFailures = factory.CreateCounter("fraudscoring_device_launch_failures_total", "Launches that failed.");
        foreach (var code in Enum.GetValues<DeviceFaultCode>())
        {
            Refusals.WithLabels(new DeviceFault(code, "").Reason);
        }

        foreach (var outcome in Enum.GetValues<DeviceOutcome>().Where(outcome => outcome != DeviceOutcome.Scored))
        {
            Fallbacks.WithLabels(Wire(outcome));
        }

        Fallbacks.WithLabels(CircuitIsOpen);
    }

    public Gauge Wanted { get; }

    public Gauge Active { get; }

    public Counter Refusals { get; }

    public Counter Fallbacks { get; }

    public Gauge CircuitOpen { get; }

    public Histogram LaunchRows { get; }

    public Counter LaunchFailures { get; }

    /// <summary>The label of an outcome.</summary>
    public static string Wire(DeviceOutcome outcome) => outcome switch
    {
        DeviceOutcome.Failed => "failed",
        DeviceOutcome.Late => "late",
        DeviceOutcome.Busy => "busy",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "nothing to fall back from"),
    };
}
