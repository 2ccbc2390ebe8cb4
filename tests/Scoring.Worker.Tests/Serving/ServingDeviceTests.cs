using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Models.Ensembles.Devices;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Tests.Serving;

/// <summary>A device as a reader of scores and a reader of metrics see it: the same scores with it, without it, and while it fails. The processor's own provider stands in for one.</summary>
public sealed class ServingDeviceTests : MoodyScoring
{

    [Fact]
    public void A_device_gives_the_scores_of_the_processor_row_by_row()
    {
        int[] amounts = [.. Enumerable.Range(0, 100).Select(i => i % 7 == 3 ? NoNumber : i % 2 == 0 ? Low : Good)];
        var alone = Score(Scorer(rowsMax: 64), amounts);
        var onDevice = Score(Scorer(rowsMax: 64, Device()), amounts);

        Assert.Equal(alone.Count, onDevice.Count);
        Assert.All(alone.Zip(onDevice), pair =>
        {
            Assert.Equal(Reason(pair.First), Reason(pair.Second));
            Assert.Equal((double)pair.First["score"]!, (double)pair.Second["score"]!, 1e-5);
        });
        Assert.Equal(1, Counted.Device.Active.Value);
        Assert.Equal(100, Counted.Device.LaunchRows.Sum);
        Assert.Equal(0, Fallbacks("failed") + Fallbacks("late") + Fallbacks("busy"));
    }

    [Fact]
    public void A_device_that_fails_three_times_is_left_out_until_it_works_again_and_the_processor_answers_meanwhile()
    {
        using var scorer = Scorer(rowsMax: 1, Device());

        // The same network fails on the processor too, by construction, so the trees answer: a step that the device has no part in.
        Assert.All(Score(scorer, Failing, Failing, Failing), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Equal(3, Fallbacks("failed"));
        Assert.Equal(3, Counted.Device.LaunchFailures.Value);
        Assert.Equal(1, Counted.Device.CircuitOpen.Value);

        Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([null, null], Score(scorer, Good, Low).Select(Reason));
        Assert.Equal(0, Counted.Device.CircuitOpen.Value);
        Assert.Equal(0, Fallbacks(DeviceMetrics.CircuitIsOpen));
        Assert.Equal(5, Counted.Device.LaunchRows.Count);
    }

    [Fact]
    public void While_the_circuit_is_open_the_device_is_not_asked()
    {
        using var scorer = Scorer(rowsMax: 1, Device());
        Score(scorer, Failing, Failing, Failing, Good);
        Assert.Equal(3, Counted.Device.LaunchRows.Count);
        Assert.Equal(1, Fallbacks(DeviceMetrics.CircuitIsOpen));
    }

    [Fact]
    public void Few_rows_stay_on_the_processor_and_count_as_nothing_amiss()
    {
        using var scorer = Scorer(rowsMax: 2, Device(rowsMin: 3));
        Assert.All(Score(scorer, Good, Good, Good, Good), score => Assert.Null(Reason(score)));
        Assert.Equal(0, Counted.Device.LaunchRows.Count);
        Assert.All(Counted.Device.Fallbacks.GetAllLabelValues(), labels => Assert.Equal(0, Counted.Device.Fallbacks.WithLabels(labels).Value));
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("auto")]
    public void A_plugin_that_is_not_there_leaves_the_processor_with_a_reason(string provider)
    {
        var settings = new ServingOptions { ExecutionProvider = provider, ExecutionProviderLibrary = Path.Combine(Folder.FullName, "libnone.so") };
        Assert.Null(ServingDevice.Open(settings, Counted.Device, NullLogger.Instance));
        AssertProcessorScores("no_library");
    }

    [Fact]
    public void A_plugin_that_is_no_library_leaves_the_processor_with_a_reason()
    {
        string path = Path.Combine(Folder.FullName, "libtext.so");
        File.WriteAllText(path, "no library");
        var settings = new ServingOptions { ExecutionProvider = "cuda", ExecutionProviderLibrary = path };
        Assert.Null(ServingDevice.Open(settings, Counted.Device, NullLogger.Instance));
        AssertProcessorScores("no_library");
    }

    /// <summary>The CPU build has no such provider; the GPU build has, and no driver on a machine like this one. Where there is a device, it opens.</summary>
    [Fact]
    public void A_machine_without_a_device_says_what_it_lacks()
    {
        var device = ServingDevice.Open(new ServingOptions { ExecutionProvider = "auto" }, Counted.Device, NullLogger.Instance);
        Assert.SkipWhen(device is not null, "this machine has a CUDA device");
        Assert.Equal(1, Counted.Device.Refusals.WithLabels("no_library").Value + Counted.Device.Refusals.WithLabels("no_device").Value);
    }

    [Fact]
    public void Who_asks_for_the_processor_gets_it_and_nothing_is_refused()
    {
        Assert.Null(ServingDevice.Open(new ServingOptions(), Counted.Device, NullLogger.Instance));
        Assert.All(Counted.Device.Refusals.GetAllLabelValues(), labels => Assert.Equal(0, Counted.Device.Refusals.WithLabels(labels).Value));
    }


    private double Fallbacks(string reason) => Counted.Device.Fallbacks.WithLabels(reason).Value;

    private ServingDevice Device(int rowsMin = 1) =>
        new(ExecutionProvider.Cpu, new DeviceOptions { RowsMin = rowsMin, LingerMs = 0, TimeoutMs = 30_000 }, Counted.Device, NullLogger.Instance);

    private void AssertProcessorScores(string reason)
    {
        Assert.Equal(1, Counted.Device.Refusals.WithLabels(reason).Value);
        Assert.Equal(0, Counted.Device.Active.Value);
        using var scorer = Scorer(rowsMax: 64);
        Assert.All(Score(scorer, Good, Low), score => Assert.Null(Reason(score)));
    }
}
