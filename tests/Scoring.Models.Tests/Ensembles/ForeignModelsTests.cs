using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Every model of the folder, through whichever engine takes it, against what ONNX Runtime answered on the file.</summary>
public sealed class ForeignModelsTests
{
    [Theory]
    [InlineData("catboost_binary_200x6")]
    [InlineData("catboost_nan")]
    [InlineData("catboost_regression")]
    [InlineData("lightgbm_64_leaves")]
    [InlineData("lightgbm_binary_200x31")]
    [InlineData("lightgbm_binary_nan")]
    [InlineData("lightgbm_regression")]
    [InlineData("lightgbm_stumps")]
    [InlineData("lightgbm_zero_as_missing")]
    [InlineData("sklearn_decision_tree")]
    [InlineData("sklearn_extra_trees")]
    [InlineData("sklearn_gradient_boosting")]
    [InlineData("sklearn_hist_gradient_boosting_nan")]
    [InlineData("sklearn_random_forest")]
    [InlineData("sklearn_random_forest_regressor")]
    [InlineData("sklearn_random_forest_zipmap")]
    [InlineData("tree_ensemble_v5")]
    [InlineData("xgboost_base_score")]
    [InlineData("xgboost_binary_300x6")]
    [InlineData("xgboost_binary_nan")]
    [InlineData("xgboost_regression")]
    public void Our_tree_engine_answers_what_the_file_says(string model)
    {
        (float[][] rows, Dictionary<string, double[]> expected) = ForeignModels.ReadRows(model);
        double[] due = expected.Single(pair => pair.Key is "ort_probabilities_1" or "ort_output_probability_1" or "ort_variable" or "ort_variable_0" or "ort_predictions" or "ort_predictions_0" or "ort_margin" or "ort_margin_0").Value;
        bool isProbability = expected.Keys.Any(key => key.Contains("probabilit", StringComparison.Ordinal));
        TreeEnsembleReading reading = OnnxTrees.Read(Check(model).Model);
        Assert.True(reading.Ensemble is not null, reading.Reason);
        foreach (TreeKernel kernel in Blocks.Kernels)
        {
            TreeEnsemble trees = TreeEnsemble.Compile(reading.Ensemble.Nodes, kernel);
            double[] margins = Blocks.Score(trees, rows);
            for (int row = 0; row < rows.Length; row++)
            {
                Assert.Equal(trees.ScoreOne(rows[row]), margins[row]);
                AssertClose(due[row], trees.Transform(margins[row]), isProbability ? 1e-6 : 1e-5 * Math.Max(1, Math.Abs(due[row])), $"{kernel}, row {row}");
            }
        }
    }

    [Theory]
    [InlineData("lightgbm_random_forest", "operator ArrayFeatureExtractor stands behind the trees")]
    [InlineData("sklearn_isolation_forest", "tree operators in the graph")]
    [InlineData("sklearn_imputer_scaler_forest", "other operators prepare it")]
    [InlineData("tree_ensemble_v5_member", "BRANCH_MEMBER")]
    [InlineData("sklearn_scaler_logistic", "0 tree operators")]
    [InlineData("sklearn_svc_rbf", "0 tree operators")]
    [InlineData("sklearn_gaussian_nb", "0 tree operators")]
    [InlineData("pytorch_attention_32x8", "0 tree operators")]
    [InlineData("pytorch_autoencoder", "0 tree operators")]
    [InlineData("pytorch_gru_32x8", "0 tree operators")]
    [InlineData("pytorch_mlp_256_128", "0 tree operators")]
    [InlineData("pytorch_mlp_float16", "0 tree operators")]
    [InlineData("pytorch_mlp_int8_static", "0 tree operators")]
    [InlineData("pytorch_residual_layernorm", "0 tree operators")]
    public void What_our_engine_does_not_take_runs_in_Onnx_Runtime_and_says_why(string model, string why)
    {
        CheckedOnnx onnx = Check(model);
        TreeEnsembleReading reading = OnnxTrees.Read(onnx.Model);
        Assert.Null(reading.Ensemble);
        Assert.Contains(why, reading.Reason, StringComparison.Ordinal);

        (float[][] rows, Dictionary<string, double[]> expected) = ForeignModels.ReadRows(model);
        string column = expected.Keys.Single(key => key.EndsWith("probabilities_1", StringComparison.Ordinal) || (expected.Keys.Count(name => !name.Contains("label", StringComparison.Ordinal)) == 1 && !key.Contains("label", StringComparison.Ordinal)));
        using NeuralNetwork? network = NeuralNetwork.Create(onnx, out string reason);
        Assert.True(network is not null, reason);
        AssertScores(network, rows, expected[column], model.Contains("int8", StringComparison.Ordinal) ? 2e-3 : null);
    }

    [Theory]
    [InlineData("lightgbm_multiclass")]
    [InlineData("xgboost_multiclass")]
    public void Of_several_classes_one_is_the_score_when_it_is_named(string model)
    {
        CheckedOnnx onnx = Check(model);
        Assert.Contains("3 classes; our engine takes two", OnnxTrees.Read(onnx.Model).Reason, StringComparison.Ordinal);
        Assert.Null(NeuralNetwork.Create(onnx, out string reason));
        Assert.Contains("3 columns; say which one is the score", reason, StringComparison.Ordinal);
        (float[][] rows, Dictionary<string, double[]> expected) = ForeignModels.ReadRows(model);
        for (int column = 0; column < 3; column++)
        {
            using NeuralNetwork? network = NeuralNetwork.Create(onnx, out _, column);
            AssertScores(network!, rows, expected[$"ort_probabilities_{column}"], tolerance: null);
        }
    }

    [Theory]
    [InlineData("catboost_binary_200x6", "ort_probabilities_1")]
    [InlineData("sklearn_random_forest_zipmap", "ort_output_probability_1")]
    public void A_zip_map_is_taken_off_before_Onnx_Runtime_sees_it(string model, string column)
    {
        (float[][] rows, Dictionary<string, double[]> expected) = ForeignModels.ReadRows(model);
        using NeuralNetwork? network = NeuralNetwork.Create(Check(model), out string reason);
        Assert.True(network is not null, reason);
        AssertScores(network, rows, expected[column], tolerance: null);
    }

    [Fact]
    public void A_model_that_scales_by_its_batch_is_run_row_by_row_so_that_a_score_is_its_rows_own()
    {
        CheckedOnnx onnx = Check("pytorch_mlp_int8_dynamic");
        (float[][] rows, Dictionary<string, double[]> expected) = ForeignModels.ReadRows("pytorch_mlp_int8_dynamic");
        using NeuralNetwork? network = NeuralNetwork.Create(onnx, out string reason);
        Assert.True(network is not null, reason);
        using var session = new InferenceSession(onnx.ToBytes());
        double[] together = RunDirectly(session, rows);
        for (int row = 0; row < rows.Length; row++)
            AssertClose(expected["ort_score"][row], together[row], 2e-3, $"row {row} among all");

        double[] alone = [.. rows.Select(row => RunDirectly(session, [row])[0])];
        var outputs = new double[rows.Length];
        network.Score(rows.SelectMany(row => row).ToArray(), rows.Length, outputs);
        Assert.Equal(alone, outputs);
        Assert.NotEqual(together, outputs);
    }

    private static double[] RunDirectly(InferenceSession session, float[][] rows)
    {
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["x"], [input], ["score"]);
        return [.. outputs[0].GetTensorDataAsSpan<float>().ToArray().Select(value => (double)value)];
    }

    private static CheckedOnnx Check(string model)
    {
        CheckedOnnx? onnx = OnnxCheck.Check(ForeignModels.Read(model + ".onnx"), out IReadOnlyList<OnnxFault> faults);
        Assert.True(onnx is not null, string.Join("; ", faults));
        return onnx;
    }

    // Any batch size gives the same: 1 row, uneven buckets, and everything at once on a second lane.
    private static void AssertScores(NeuralNetwork network, float[][] rows, double[] expected, double? tolerance)
    {
        var outputs = new double[rows.Length];
        using NeuralNetwork lane = network.ForAnotherLane();
        lane.Score(rows.SelectMany(row => row).ToArray(), rows.Length, outputs);
        for (int row = 0; row < rows.Length; row++)
            AssertClose(expected[row], outputs[row], tolerance ?? ToleranceOf(expected[row]), $"row {row}");

        var single = new double[1];
        for (int row = 0; row < rows.Length; row += 7)
        {
            network.Score(rows[row], 1, single);
            AssertClose(expected[row], single[0], tolerance ?? ToleranceOf(expected[row]), $"row {row} alone");
        }
    }

    // 1e-6 on probabilities, 1e-5 relative on raw sums, which ONNX Runtime adds up in float32.
    private static double ToleranceOf(double expected) => Math.Abs(expected) <= 1 ? 1e-6 : 1e-5 * Math.Abs(expected);

    private static void AssertClose(double expected, double actual, double tolerance, string where) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance || (double.IsNaN(expected) && double.IsNaN(actual)) || expected.Equals(actual), $"{where}: {actual:R} where {expected:R} is due");
}
