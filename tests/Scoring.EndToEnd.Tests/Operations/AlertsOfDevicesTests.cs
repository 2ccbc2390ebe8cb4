using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>The alert of a device that fails, provoked and resolved; see <see cref="AlertScene"/> for the clock. <see cref="StandInDevice"/> stands in for one.</summary>
public sealed class AlertsOfDevicesTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    [Fact]
    public async Task Lost_and_at_every_trial_still_lost_then_back()
    {
        using var device = await StandInDevice.BuildAsync();
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await using var scene = new AlertScene(service, output, seed: 67);
        var worker = AlertScene.FreePort();
        await scene.WorkerAsync(
            worker,
            [
                "--definition", service.DefinitionPath, .. service.ModelArguments, "--set", "Serving:ExecutionProvider=cuda", "--set", $"Serving:ExecutionProviderLibrary={device.LibraryPath}",
                "--set", "Serving:DeviceRowsMin=1", "--set", "Serving:DeviceTimeoutMs=5000", // So that nothing is late where the machine is busy.
            ]);
        await scene.UntilAsync(worker, "/metrics", page => new MetricsPage(page).Sum("fraudscoring_device_launch_rows_count") > 0);
        var before = await PageAsync();
        Assert.Equal((1, 0), (before["fraudscoring_device_active"], before["fraudscoring_device_launch_failures_total"]));

        await scene.ProvokeAsync(scene.Minutes, device.Lose, "FraudScoringDeviceFails");
        var meanwhile = await PageAsync(); // The processor scores in its place, network and trees: nothing is degraded for that.
        Assert.True(meanwhile["fraudscoring_device_launch_failures_total"] > 3);
        Assert.Equal((0, 0), (meanwhile["fraudscoring_fallback_total{reason=\"network_failed\"}"], meanwhile["fraudscoring_fallback_total{reason=\"trees_failed\"}"]));
        device.Return();
        await scene.ResolveAsync(scene.Minutes, "FraudScoringDeviceFails");

        async Task<MetricsPage> PageAsync()
        {
            string page = "";
            await scene.UntilAsync(worker, "/metrics", answer => (page = answer).Length > 0);
            return new MetricsPage(page);
        }
    }
}
