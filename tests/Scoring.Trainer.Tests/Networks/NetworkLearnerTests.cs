using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.Networks;

public sealed class NetworkLearnerTests
{
    private static readonly NetworkSettings Small = new() { Hidden = [16, 8], BatchRows = 256, EpochsMax = 40, LearningRate = 0.01 };

    [Theory]
    [InlineData("relu")]
    [InlineData("gelu")]
    public void What_a_plane_separates_is_separated(string activation)
    {
        static bool IsFraud(float[] features, Random random) => features[0] - (0.5 * features[1]) + (0.2 * features[2]) > 0.9;
        var settings = Small with { Activation = Enum.Parse<Activation>(activation, ignoreCase: true) };
        Assert.InRange(PrecisionOnNewRows(IsFraud, 4_000, 4, settings), 0.98, 1);
    }

    [Fact]
    public void Two_features_that_only_speak_together_are_heard_where_trees_of_one_split_hear_nothing()
    {
        var learnt = Problems.Table(6_000, 3, Problems.SameSign);
        var later = Problems.Table(6_000, 3, Problems.SameSign, seed: 2);
        var stumps = TreeLearner.Grow(learnt, Problems.AllRows(learnt), new LearnerSettings { Leaves = 2, Trees = 50, Bins = 255, FeatureShare = 1 }, _ => { });
        var network = Train(learnt, Small);

        double areaOfStumps = Ranking.AreaUnderRoc(TrainingRun.Margins(stumps, later, Problems.AllRows(later)), Problems.Outcomes(later));
        double areaOfNetwork = Ranking.AreaUnderRoc(network.LogOdds(Problems.Features(later)), Problems.Outcomes(later));

        Assert.InRange(areaOfStumps, 0, 0.6);
        Assert.InRange(areaOfNetwork, 0.87, 0.92); // .9 is the best there is
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void One_fraud_in_five_hundred_is_found(double fraudWeight)
    {
        // 0.2 % of the rows, half a sphere's corner: rare and not linear.
        static bool IsFraud(float[] features, Random random) => (features[0] * features[0]) + (features[1] * features[1]) > 1.75;
        double precision = PrecisionOnNewRows(IsFraud, 40_000, 3, Small with { FraudWeight = fraudWeight });
        Assert.InRange(precision, 0.6, 1);
    }

    [Fact]
    public void Columns_that_say_nothing_do_no_harm_and_missing_values_are_learnt_from()
    {
        // 0 constant, 1 never there, 2 missing exactly where there is fraud, more or less, 3 noise with infinities.
        static bool IsFraud(float[] features, Random random)
        {
            bool isFraud = random.Next(12) == 0;
            features[0] = 3;
            features[1] = float.NaN;
            features[2] = isFraud != (random.Next(200) == 0) ? float.NaN : features[2];
            features[3] = random.Next(50) == 0 ? float.PositiveInfinity : features[3];
            return isFraud;
        }

        var network = Train(Problems.Table(3_000, 4, IsFraud), Small);
        var later = Problems.Table(2_000, 4, IsFraud, seed: 2);

        Assert.InRange(Ranking.AveragePrecision(network.LogOdds(Problems.Features(later)), Problems.Outcomes(later)), 0.9, 1);
        float[][] strange = [[float.NaN, 5, float.NegativeInfinity, float.NaN], [float.MaxValue, float.Epsilon, 0, float.MinValue], [float.NaN, float.NaN, float.NaN, float.NaN]];
        Assert.All(network.LogOdds(strange), logOdds => Assert.True(double.IsFinite(logOdds)));
    }

    [Theory]
    [InlineData(0, 500)]
    [InlineData(500, 500)]
    [InlineData(7, 500)]
    public void Too_few_of_one_outcome_are_refused_with_what_to_do(int frauds, int rowCount)
    {
        int row = 0;
        var table = Problems.Table(rowCount, 2, (_, _) => row++ * frauds / rowCount < (row * frauds) / rowCount);

        var refused = Assert.Throws<TrainerException>(() => Train(table, Small));

        Assert.Equal(65, refused.ExitCode);
        Assert.Contains($"{frauds} of {rowCount} transactions are frauds", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--network off", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        var table = Problems.Table(1_500, 3, Problems.SameSign);
        var settings = Small with { EpochsMax = 4 };

        byte[] first = Train(table, settings).Model.ToBytes();

        Assert.Equal(first, Train(table, settings).Model.ToBytes());
        Assert.NotEqual(first, Train(table, settings with { Seed = 2 }).Model.ToBytes());
    }

    [Fact]
    public void Training_ends_when_later_rows_gain_no_more_and_as_many_epochs_go_over_all_rows()
    {
        var noise = Problems.Table(3_000, 3, (_, random) => random.Next(20) == 0);
        var epochs = new Dictionary<string, int>(StringComparer.Ordinal);

        var network = NetworkLearner.Train(noise, Problems.AllRows(noise), Small with { Patience = 3, EpochsMax = 60 }, (step, _) => epochs[step] = epochs.GetValueOrDefault(step) + 1, CancellationToken.None);

        // Every epoch reports once.
        Assert.Equal(network.Epochs + 3, epochs["training the network"]);
        Assert.Equal(network.Epochs, epochs["training the network on all rows"]);
        Assert.InRange(network.Epochs, 1, 56);
    }

    [Fact]
    public void Training_stops_when_it_is_told_to()
    {
        var table = Problems.Table(2_000, 2, Problems.SameSign);
        using var stopping = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
            NetworkLearner.Train(table, Problems.AllRows(table), Small, (_, _) => stopping.Cancel(), stopping.Token));
    }

    [Fact]
    public void The_published_file_says_what_Onnx_Runtime_and_a_forward_pass_in_plain_code_say()
    {
        static bool IsFraud(float[] features, Random random)
        {
            bool isFraud = Problems.SameSign(features, random);
            features[1] = random.Next(9) == 0 ? float.NaN : features[1];
            features[2] = (float)Math.Exp(9 * features[2]);
            return isFraud;
        }

        var table = Problems.Table(3_000, 3, IsFraud);
        var settings = Small with { EpochsMax = 10 };
        var network = Train(table, settings);
        float[][] rows = Problems.Features(Problems.Table(500, 3, IsFraud, seed: 2));

        double[] published = network.LogOdds(rows);
        double[] runtime = RunFile(network.Model, rows);
        double[] plain = Forward(network.Model.Model.Graph, [.. rows.Select(new ReferencePreparation(Problems.Features(table)).Prepare)], settings);

        for (int row = 0; row < rows.Length; row++)
        {
            Assert.Equal(Logistic.Probability(runtime[row]), Logistic.Probability(published[row]), 1e-6);
            Assert.Equal(Logistic.Probability(plain[row]), Logistic.Probability(published[row]), 1e-6);
        }
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("gelu")]
    public void A_rows_score_is_the_same_to_the_bit_whatever_stands_beside_it(string activation)
    {
        var network = Train(Problems.Table(2_000, 37, Problems.SameSign), Small with { Hidden = [64, 32], EpochsMax = 2, Activation = Enum.Parse<Activation>(activation, ignoreCase: true) });
        float[][] rows = Problems.Features(Problems.Table(2_100, 37, Problems.SameSign, seed: 2));
        double[] together = network.LogOdds(rows);
        foreach (int batch in new[] { 1, 7, 16, 100, 256 })
        {
            double[] apart = [.. rows.Chunk(batch).Take(40).SelectMany(network.LogOdds)];
            Assert.Equal(together[..apart.Length], apart);
        }
    }

    private static TrainedNetwork Train(FeatureTable table, NetworkSettings settings) =>
        NetworkLearner.Train(table, Problems.AllRows(table), settings, (_, _) => { }, CancellationToken.None);

    private static double PrecisionOnNewRows(Func<float[], Random, bool> isFraud, int rowCount, int featureCount, NetworkSettings settings)
    {
        var network = Train(Problems.Table(rowCount, featureCount, isFraud), settings);
        var later = Problems.Table(rowCount, featureCount, isFraud, seed: 2);
        return Ranking.AveragePrecision(network.LogOdds(Problems.Features(later)), Problems.Outcomes(later));
    }

    private static double[] RunFile(CheckedOnnx model, float[][] rows)
    {
        using var session = new InferenceSession(model.ToBytes());
        using var input = OrtValue.CreateTensorValueFromMemory(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, [model.InputName], [input], session.OutputNames);
        return [.. outputs[0].GetTensorDataAsSpan<float>().ToArray().Select(value => (double)value)];
    }

    // The weights as they stand in the file, in double loops.
    private static double[] Forward(OnnxGraph graph, double[][] prepared, NetworkSettings settings)
    {
        var constants = graph.Initializers.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        double[] parameters = [.. graph.Nodes.Where(node => node.Operator == "Gemm")
            .SelectMany(node => node.Inputs.Skip(1)).SelectMany(name => constants[name].ToFloats()!).Select(value => (double)value)];
        var reference = new ReferenceNetwork(new(prepared[0].Length, settings.Hidden, Activation.Relu));
        return [.. prepared.Select(row => reference.LogOdds(row, parameters))];
    }
}
