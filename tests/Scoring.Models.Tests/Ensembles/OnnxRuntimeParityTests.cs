using System.Runtime.InteropServices;
using CsCheck;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Our engine against ONNX Runtime on the file that our writer makes of the same table.</summary>
public sealed partial class OnnxRuntimeParityTests
{
    private static readonly long[] Classes = [0, 1];
    private static readonly float[] Bases = [0.25f, 0.125f];

    [Theory]
    [InlineData(10, 1)]
    [InlineData(30, 32)]
    [InlineData(30, 64)]
    [InlineData(5, 150)]
    public void Onnx_Runtime_agrees_on_random_trees_of_every_mode(int treesMax, int leavesMax) =>
        RandomTrees.Ensembles(treesMax, leavesMax).Select(Gen.Int[0, 1_000_000]).Sample((nodes, seed) => AssertAgrees(nodes, seed, 64), iter: 60);

    [Fact]
    public void Onnx_Runtime_agrees_on_a_thousand_trees() =>
        AssertAgrees(RandomTrees.Make(new Random(1_000), 20, 1_000, 64, [TreeNodeMode.AtMost]), 7, 1_100);

    [Fact]
    public void What_was_written_reads_back_as_the_same_ensemble() =>
        RandomTrees.Ensembles(8, 40).Sample(nodes =>
        {
            TreeEnsembleReading reading = OnnxTrees.Read(Check(nodes).Model);
            Assert.True(reading.Ensemble is not null, reading.Reason);
            TreeNodes read = reading.Ensemble.Nodes;
            Assert.Equal(nodes.Thresholds.ToArray(), read.Thresholds.ToArray());
            Assert.Equal(nodes.Weights.ToArray(), read.Weights.ToArray());
            Assert.Equal(nodes.Covers.ToArray(), read.Covers.ToArray());
            Assert.Equal(nodes.TrueNodes.ToArray(), read.TrueNodes.ToArray());
            Assert.Equal((nodes.BaseValue, nodes.Average), (read.BaseValue, read.Average));
        }, iter: 100);

    // The rules of a binary classifier are ONNX Runtime's own: which class, which transform, which base value.
    [Theory]
    [InlineData("LOGISTIC", false, 0)]
    [InlineData("LOGISTIC", false, 1)]
    [InlineData("LOGISTIC", false, 2)]
    [InlineData("LOGISTIC", true, 0)]
    [InlineData("LOGISTIC", true, 1)]
    [InlineData("LOGISTIC", true, 2)]
    [InlineData("NONE", true, 0)]
    [InlineData("NONE", true, 1)]
    [InlineData("NONE", true, 2)]
    [InlineData("NONE", false, 1)]
    public void A_classifier_of_one_weighted_class_is_read_as_Onnx_Runtime_reads_it(string transform, bool positiveOnly, int baseValues)
    {
        TreeNodes nodes = RandomTrees.Make(new Random(5), 4, 9, 8, [TreeNodeMode.AtMost, TreeNodeMode.Below], infiniteThresholds: false) with { Average = false, BaseValue = 0 };
        if (positiveOnly)
            nodes = nodes with { Weights = Array.ConvertAll(nodes.Weights.ToArray(), weight => Math.Abs(weight) / 20) };
        OnnxModel regressor = OnnxTrees.Write(nodes);
        OnnxNode node = regressor.Graph.Nodes[0];
        List<OnnxSetting> settings = [.. node.Settings.Where(setting => setting.Name is not ("n_targets" or "post_transform" or "aggregate_function")).Select(setting => setting with { Name = setting.Name.Replace("target_", "class_", StringComparison.Ordinal) })];
        settings.Add(OnnxSetting.Of("post_transform", transform));
        settings.Add(OnnxSetting.Of("classlabels_int64s", Classes));
        if (baseValues > 0)
            settings.Add(OnnxSetting.Of("base_values", Bases[..baseValues]));
        OnnxModel classifier = regressor with
        {
            Graph = regressor.Graph with
            {
                Nodes = [node with { Operator = "TreeEnsembleClassifier", Outputs = ["label", "probabilities"], Settings = settings }],
                Outputs = [new OnnxValue { Name = "label", ElementType = OnnxElementType.Int64, Dimensions = [-1] }, OnnxValue.Matrix("probabilities", 2)],
            },
        };
        CheckedOnnx? onnx = OnnxCheck.Check(OnnxWriter.Write(classifier), out IReadOnlyList<OnnxFault> faults);
        Assert.True(onnx is not null, string.Join("; ", faults));
        if (OnnxTrees.Read(onnx.Model) is not { Ensemble: { } trees } reading)
        {
            Assert.True(baseValues == 2 || (string.Equals(transform, "NONE", StringComparison.Ordinal) && !positiveOnly));
            return;
        }

        float[][] rows = RandomTrees.Rows(nodes, new Random(6), 200);
        double[] expected = RunInOnnxRuntime(onnx, rows);
        for (int row = 0; row < rows.Length; row++)
            Assert.Equal(expected[row], reading.Ensemble.Transform(trees.ScoreOne(rows[row])), 1e-6);
    }

    [Fact]
    public void The_library_is_told_to_stay_silent_before_it_loads()
    {
        OnnxRuntimeEnvironment.EnsureQuiet();
        if (!OperatingSystem.IsLinux())
            return;
        Assert.Equal("1", Marshal.PtrToStringUTF8(GetEnvironmentVariable("ORT_DISABLE_TELEMETRY")));
    }

    private static void AssertAgrees(TreeNodes nodes, int seed, int rowCount)
    {
        // ONNX Runtime sums in float32: weights as small as those of a trained ensemble keep its own rounding below what is compared.
        float shrink = 1f / (1 + (nodes.TreeCount / 10f));
        nodes = nodes with { Weights = Array.ConvertAll(nodes.Weights.ToArray(), weight => weight * shrink) };
        float[][] rows = RandomTrees.Rows(nodes, new Random(seed), rowCount);
        double[] expected = RunInOnnxRuntime(Check(nodes), rows);
        double[] actual = Blocks.Score(TreeEnsemble.Compile(nodes), rows);
        for (int row = 0; row < rows.Length; row++)
            Assert.Equal(expected[row], actual[row], 1e-6);
    }

    private static CheckedOnnx Check(TreeNodes nodes)
    {
        CheckedOnnx? onnx = OnnxCheck.Check(OnnxWriter.Write(OnnxTrees.Write(nodes)), out IReadOnlyList<OnnxFault> faults);
        Assert.True(onnx is not null, string.Join("; ", faults));
        return onnx;
    }

    private static double[] RunInOnnxRuntime(CheckedOnnx onnx, float[][] rows)
    {
        using NeuralNetwork? network = NeuralNetwork.Create(onnx, out string reason);
        Assert.True(network is not null, reason);
        var outputs = new double[rows.Length];
        network.Score(rows.SelectMany(row => row).ToArray(), rows.Length, outputs);
        return outputs;
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetEnvironmentVariable(string name);
}
