using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Scoring.Models.Ensembles.Devices;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Tests.Serving;

/// <summary>A device as a reader of scores and a reader of metrics see it: the same scores with it, without it, and while it fails. The processor's own provider stands in for one.</summary>
public sealed class ServingDeviceTests : IDisposable
{
    private const int Low = 50;
    private const int Good = 150;
    private const int NoNumber = 250;
    private const int Failing = 700;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");
    private readonly StepClock clock = new();
    private readonly WorkerMetrics metrics = new(Metrics.NewCustomRegistry());
    private int fileCount;

    [Fact]
    public void A_device_gives_the_scores_of_the_processor_row_by_row()
    {
        int[] amounts = [.. Enumerable.Range(0, 100).Select(i => i % 7 == 3 ? NoNumber : i % 2 == 0 ? Low : Good)];
        var alone = Score(Scorer(device: null), amounts);
        var onDevice = Score(Scorer(Device()), amounts);

        Assert.Equal(alone.Count, onDevice.Count);
        Assert.All(alone.Zip(onDevice), pair =>
        {
            Assert.Equal(Reason(pair.First), Reason(pair.Second));
            Assert.Equal((double)pair.First["score"]!, (double)pair.Second["score"]!, 1e-5);
        });
        Assert.Equal(1, metrics.Device.Active.Value);
        Assert.Equal(100, metrics.Device.LaunchRows.Sum);
        Assert.Equal(0, Fallbacks("failed") + Fallbacks("late") + Fallbacks("busy"));
    }

    [Fact]
    public void A_device_that_fails_three_times_is_left_out_until_it_works_again_and_the_processor_answers_meanwhile()
    {
        using var scorer = Scorer(Device(), rowsMax: 1);

        // The same network fails on the processor too, by construction, so the trees answer: a step that the device has no part in.
        Assert.All(Score(scorer, Failing, Failing, Failing), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Equal(3, Fallbacks("failed"));
        Assert.Equal(3, metrics.Device.LaunchFailures.Value);
        Assert.Equal(1, metrics.Device.CircuitOpen.Value);

        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([null, null], Score(scorer, Good, Low).Select(Reason));
        Assert.Equal(0, metrics.Device.CircuitOpen.Value);
        Assert.Equal(0, Fallbacks(DeviceMetrics.CircuitIsOpen));
        Assert.Equal(5, metrics.Device.LaunchRows.Count);
    }

    [Fact]
    public void While_the_circuit_is_open_the_device_is_not_asked()
    {
        using var scorer = Scorer(Device(), rowsMax: 1);
        Score(scorer, Failing, Failing, Failing, Good);
        Assert.Equal(3, metrics.Device.LaunchRows.Count);
        Assert.Equal(1, Fallbacks(DeviceMetrics.CircuitIsOpen));
    }

    [Fact]
    public void Few_rows_stay_on_the_processor_and_count_as_nothing_amiss()
    {
        using var scorer = Scorer(Device(rowsMin: 3), rowsMax: 2);
        Assert.All(Score(scorer, Good, Good, Good, Good), score => Assert.Null(Reason(score)));
        Assert.Equal(0, metrics.Device.LaunchRows.Count);
        Assert.All(metrics.Device.Fallbacks.GetAllLabelValues(), labels => Assert.Equal(0, metrics.Device.Fallbacks.WithLabels(labels).Value));
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("auto")]
    public void A_plugin_that_is_not_there_leaves_the_processor_with_a_reason(string provider)
    {
        var settings = new ServingOptions { ExecutionProvider = provider, ExecutionProviderLibrary = Path.Combine(folder.FullName, "libnone.so") };
        Assert.Null(ServingDevice.Open(settings, metrics.Device, NullLogger.Instance));
        AssertProcessorScores("no_library");
    }

    [Fact]
    public void A_plugin_that_is_no_library_leaves_the_processor_with_a_reason()
    {
        string path = Path.Combine(folder.FullName, "libtext.so");
        File.WriteAllText(path, "no library");
        var settings = new ServingOptions { ExecutionProvider = "cuda", ExecutionProviderLibrary = path };
        Assert.Null(ServingDevice.Open(settings, metrics.Device, NullLogger.Instance));
        AssertProcessorScores("no_library");
    }

    /// <summary>The CPU build has no such provider; the GPU build has, and no driver on a machine like this one. Where there is a device, it opens.</summary>
    [Fact]
    public void A_machine_without_a_device_says_what_it_lacks()
    {
        var device = ServingDevice.Open(new ServingOptions { ExecutionProvider = "auto" }, metrics.Device, NullLogger.Instance);
        Assert.SkipWhen(device is not null, "this machine has a CUDA device");
        Assert.Equal(1, metrics.Device.Refusals.WithLabels("no_library").Value + metrics.Device.Refusals.WithLabels("no_device").Value);
    }

    [Fact]
    public void Who_asks_for_the_processor_gets_it_and_nothing_is_refused()
    {
        Assert.Null(ServingDevice.Open(new ServingOptions(), metrics.Device, NullLogger.Instance));
        Assert.All(metrics.Device.Refusals.GetAllLabelValues(), labels => Assert.Equal(0, metrics.Device.Refusals.WithLabels(labels).Value));
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static string? Reason(JsonNode score) => (string?)score["degraded_reason"];

    private double Fallbacks(string reason) => metrics.Device.Fallbacks.WithLabels(reason).Value;

    private ServingDevice Device(int rowsMin = 1) =>
        new(ExecutionProvider.Cpu, new DeviceOptions { RowsMin = rowsMin, LingerMs = 0, TimeoutMs = 30_000 }, metrics.Device, NullLogger.Instance);

    private void AssertProcessorScores(string reason)
    {
        Assert.Equal(1, metrics.Device.Refusals.WithLabels(reason).Value);
        Assert.Equal(0, metrics.Device.Active.Value);
        using var scorer = Scorer(device: null);
        Assert.All(Score(scorer, Good, Low), score => Assert.Null(Reason(score)));
    }

    private FileScorer Scorer(ServingDevice? device, int rowsMax = 64)
    {
        var (definition, package, key) = MoodyNetwork.Write(folder.FullName);
        var serving = new ServingOptions { Definition = definition, Package = package, VerificationKeys = [key] };
        var service = new Service(ModelLoader.ReadDefinition(definition), new ModelSlot()) { Device = device };
        ModelLoader.Load(serving, service, clock, metrics, NullLogger.Instance);
        var settings = new WorkerSettings
        {
            Kafka = new KafkaOptions(),
            Lanes = new LaneOptions { RowsMax = rowsMax },
            Operations = new OperationsOptions(),
            Serving = serving,
            Aggregates = new AggregatesOptions(),
        };
        return new FileScorer(service, settings, clock, metrics, NullLogger.Instance);
    }

    private List<JsonNode> Score(FileScorer scorer, params int[] amountsMinor)
    {
        string path = Path.Combine(folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{fileCount++}.jsonl"));
        File.WriteAllLines(path, amountsMinor.Select((amountMinor, i) =>
            $$"""{"transaction_id":"t-{{fileCount}}-{{i}}","event_time":"2025-02-28T00:00:00Z","amount_minor":{{amountMinor}},"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}"""));
        using var output = new MemoryStream();
        using var refused = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(ExitCode.Ok, scorer.Run(path, output, refused));
        string[] lines = System.Text.Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(amountsMinor.Length, lines.Length);
        return [.. lines.Select(line => JsonNode.Parse(line)!)];
    }
}
