using System.Collections.Concurrent;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Models.Tests.Packaging;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Lanes that share a device, the processor's own provider in its place, against lanes that score alone.</summary>
public sealed class DeviceExecutorTests : IDisposable
{
    private const int LaneCount = 4;
    private const int Rounds = 40;
    private const int RowsMax = 96;

    /// <summary>Value of the second feature for which the network fails.</summary>
    private const float Poison = 7;

    private readonly PackageWorkshop workshop = new();
    private readonly ConcurrentQueue<int> launches = new();

    [Fact]
    public void Lanes_are_joined_into_one_launch_and_each_row_gets_the_score_it_gets_alone()
    {
        using var ensemble = Load();
        Assert.Null(ensemble.UseDevice(ExecutionProvider.Cpu, Options()));
        var rounds = RunLanes(ensemble, poisonedLane: -1);

        Assert.All(rounds, round => Assert.Equal(DeviceOutcome.Scored, round.Outcome));
        Assert.All(rounds, round => AssertSame(round.Alone, round.OnDevice, round.RowCount));

        // Nobody comes twice before the launch of all four is over: as many launches as rounds, and no row lost or scored twice.
        Assert.Equal(Rounds, launches.Count);
        Assert.Equal(rounds.Sum(round => round.RowCount), launches.Sum());
    }

    [Fact]
    public void A_launch_that_fails_sends_every_lane_that_joined_it_to_the_processor_and_the_next_one_scores()
    {
        using var ensemble = Load();
        Assert.Null(ensemble.UseDevice(ExecutionProvider.Cpu, Options()));
        var rounds = RunLanes(ensemble, poisonedLane: 2);

        foreach (var round in rounds)
        {
            Assert.Equal(IsPoisoned(round.Number) ? DeviceOutcome.Failed : DeviceOutcome.Scored, round.Outcome);
            if (!IsPoisoned(round.Number))
                AssertSame(round.Alone, round.OnDevice, round.RowCount);
        }
    }

    [Fact]
    public void A_batch_larger_than_a_launch_is_scored_in_parts()
    {
        using var ensemble = Load();
        Assert.Null(ensemble.UseDevice(ExecutionProvider.Cpu, Options() with { RowsMax = 32 }));
        using var lane = ensemble.ForAnotherLane();
        var block = Fill(new Random(1), RowsMax, poisoned: false);
        var (alone, onDevice) = (new EnsembleScores(RowsMax), new EnsembleScores(RowsMax));
        lane.Score(block, RowsMax, alone);
        Assert.Equal(DeviceOutcome.Scored, lane.ScoreOnDevice(block, RowsMax, onDevice));
        AssertSame(alone, onDevice, RowsMax);
        Assert.Equal([32, 32, 32], launches);
    }

    /// <summary>The executor is held inside a launch; lanes are told so in time, and what hangs can hold no more than its launches.</summary>
    [Fact]
    public void A_device_that_hangs_is_late_then_busy_and_what_it_answers_at_last_reaches_nobody()
    {
        using var ensemble = Load();
        using var held = new ManualResetEventSlim();
        using var inside = new ManualResetEventSlim();
        Assert.Null(ensemble.UseDevice(ExecutionProvider.Cpu, new DeviceOptions
        {
            RowsMax = 16,
            LingerMs = 0,
            TimeoutMs = 1,
            Launched = (_, _) =>
            {
                inside.Set();
                held.Wait(TestContext.Current.CancellationToken);
            },
        }));
        using var lane = ensemble.ForAnotherLane();
        var block = Fill(new Random(2), 16, poisoned: false);
        var output = new EnsembleScores(16);
        var outcomes = Enumerable.Range(0, DeviceExecutor.LaunchesMax + 1).Select(_ => lane.ScoreOnDevice(block, 16, output)).ToList();
        Assert.Equal([.. Enumerable.Repeat(DeviceOutcome.Late, DeviceExecutor.LaunchesMax), DeviceOutcome.Busy], outcomes);
        inside.Wait(TestContext.Current.CancellationToken);
        held.Set();

        // It works off what it held, and then scores again.
        var alone = new EnsembleScores(16);
        lane.Score(block, 16, alone);
        while (lane.ScoreOnDevice(block, 16, output) != DeviceOutcome.Scored)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        AssertSame(alone, output, 16);
    }

    [Fact]
    public void Trees_too_large_for_a_device_are_refused_with_the_bound()
    {
        var files = PackageWorkshop.Files();
        var nodes = RandomTrees.Make(new Random(3), 2, 1, TensorTrees.LeavesMax + 1, [TreeNodeMode.AtMost], leavesMin: TensorTrees.LeavesMax + 1) with { Average = false };
        var trees = TreeEnsemble.Compile(nodes);
        var smoke = PackageWorkshop.Smoke();
        files[PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(nodes));
        files[PackageFiles.Smoke] = PackageJson.Write(smoke with { Probabilities = [.. smoke.Rows.Select(row => Logistic.Probability((0.8 * trees.ScoreOne([.. row])) - 0.3))] });
        using var ensemble = Verified(PackageWorkshop.Manifest(), files);

        var fault = ensemble.UseDevice(ExecutionProvider.Cpu, new DeviceOptions());

        Assert.Equal(DeviceFaultCode.TooLarge, fault?.Code);
        Assert.Contains("512", fault!.Sentence, StringComparison.Ordinal);
        Assert.Equal(int.MaxValue, ensemble.DeviceRowsMin);
    }

    [Fact]
    public void A_library_that_is_not_there_or_is_none_is_a_fault_with_its_path()
    {
        string none = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N") + ".so");
        Assert.Null(ExecutionProvider.OpenCuda(none, 0, out var fault));
        Assert.Equal(DeviceFaultCode.NoLibrary, fault!.Code);
        Assert.Contains(none, fault.Sentence, StringComparison.Ordinal);

        File.WriteAllText(none, "not a library");
        try
        {
            Assert.Null(ExecutionProvider.OpenCuda(none, 0, out fault));
            Assert.Equal(DeviceFaultCode.NoLibrary, fault!.Code);
            Assert.Contains(none, fault.Sentence, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(none);
        }

        // A library of another kind loads, and offers nothing that ONNX Runtime asks for.
        string other = typeof(DeviceExecutorTests).Assembly.Location;
        Assert.Null(ExecutionProvider.OpenCuda(other, 0, out fault));
        Assert.Equal(DeviceFaultCode.NoLibrary, fault!.Code);
    }

    public void Dispose() => workshop.Dispose();

    private static bool IsPoisoned(int round) => round % 3 == 1;

    // Lanes that wait for one another as long as it takes: joining is certain, not a matter of time.
    private DeviceOptions Options() => new() { RowsMin = 1, RowsMax = LaneCount * RowsMax, LingerMs = 30_000, TimeoutMs = 30_000, Launched = (rowCount, _) => launches.Enqueue(rowCount) };

    private static List<Round> RunLanes(Ensemble ensemble, int poisonedLane)
    {
        Ensemble[] lanes = [.. Enumerable.Range(0, LaneCount).Select(_ => ensemble.ForAnotherLane())];
        var rounds = new ConcurrentBag<Round>();
        Thread[] threads = [.. lanes.Select((lane, number) => new Thread(() =>
        {
            var random = new Random(number);
            for (int round = 0; round < Rounds; round++)
            {
                int rowCount = random.Next(1, RowsMax + 1);
                var block = Fill(random, rowCount, poisoned: number == poisonedLane && IsPoisoned(round));
                var (alone, onDevice) = (new EnsembleScores(rowCount), new EnsembleScores(rowCount));
                var outcome = lane.ScoreOnDevice(block, rowCount, onDevice);
                if (number != poisonedLane)
                    lane.Score(block, rowCount, alone);
                else
                    lane.Score(block, rowCount, alone, IsPoisoned(round) ? EnsembleStep.TreesOnly : EnsembleStep.Full);
                rounds.Add(new(round, rowCount, outcome, alone, onDevice));
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        foreach (var lane in lanes)
            lane.Dispose();
        return [.. rounds];
    }

    private static FeatureBlock Fill(Random random, int rowCount, bool poisoned)
    {
        var block = new FeatureBlock(2, rowCount);
        for (int row = 0; row < rowCount; row++)
        {
            block.Set(row, 0, random.Next(6) == 0 ? double.NaN : random.Next(50, 151));
            block.Set(row, 1, random.Next(0, 6));
        }

        if (poisoned)
            block.Set(rowCount - 1, 1, Poison);
        return block;
    }

    private static void AssertSame(EnsembleScores expected, EnsembleScores actual, int rowCount)
    {
        for (int row = 0; row < rowCount; row++)
        {
            Assert.Equal(expected.Probability[row], actual.Probability[row], 1e-5);
            Assert.Equal(expected.Trees[row], actual.Trees[row], 1e-5);
            Assert.Equal(expected.Network[row], actual.Network[row], 1e-5);
        }
    }

    private Ensemble Load()
    {
        var files = PackageWorkshop.Files();
        var smoke = PackageWorkshop.Smoke();
        files[PackageFiles.Network] = OnnxWriter.Write(Network());
        IReadOnlyList<float>[] rows = [[50, 1], [500, 1], [500, 5]];
        double[] joint = [.. rows.Select((row, i) => Logistic.Probability(0.5 * (Logistic.LogOdds(smoke.Probabilities[i]) + Logistic.LogOdds((1 + row[1]) / 20))))];
        files[PackageFiles.Smoke] = PackageJson.Write(smoke with { Rows = rows, Probabilities = joint });
        return Verified(PackageWorkshop.Manifest() with { Network = new() { Calibration = Calibration.Identity.ToManifest() }, Blend = new(0, 0.5, 0.5) }, files);
    }

    private Ensemble Verified(PackageManifest manifest, Dictionary<string, byte[]> files)
    {
        var reading = PackageVerifier.Verify(PackageWriter.Write(manifest, files, workshop.Key), workshop.Policy);
        Assert.Null(reading.Refusal);
        return reading.Ensemble!;
    }

    // (1 + count) / 20 from a table of six: a count of seven fails the whole run, by construction.
    private static OnnxModel Network() => new()
    {
        OperatorSets = [new OnnxOperatorSet("", 17)],
        Graph = new OnnxGraph
        {
            Name = "table",
            Nodes =
            [
                new OnnxNode { Operator = "Gather", Inputs = ["features", "second"], Outputs = ["count"], Settings = [OnnxSetting.Of("axis", 1L)] },
                new OnnxNode { Operator = "Cast", Inputs = ["count"], Outputs = ["whole"], Settings = [OnnxSetting.Of("to", (long)OnnxElementType.Int64)] },
                new OnnxNode { Operator = "Gather", Inputs = ["table", "whole"], Outputs = ["score"], Settings = [OnnxSetting.Of("axis", 0L)] },
            ],
            Initializers = [OnnxTensor.Of("second", (ReadOnlySpan<long>)[1], 1), OnnxTensor.Of("table", (ReadOnlySpan<float>)[0.05f, 0.1f, 0.15f, 0.2f, 0.25f, 0.3f], 6)],
            Inputs = [OnnxValue.Matrix("features", 2)],
            Outputs = [OnnxValue.Matrix("score", 1)],
        },
    };

    private sealed record Round(int Number, int RowCount, DeviceOutcome Outcome, EnsembleScores Alone, EnsembleScores OnDevice);
}
