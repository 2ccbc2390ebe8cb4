using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Models.Tests.Packaging;

namespace Scoring.Models.Tests.Ensembles;

public sealed class EnsembleTests : IDisposable
{
    private readonly PackageWorkshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public void Scores_do_not_depend_on_how_many_rows_stand_beside()
    {
        using var ensemble = Load(PackageWorkshop.Manifest());
        var smoke = PackageWorkshop.Smoke();
        var block = new FeatureBlock(2, 40);
        for (int row = 0; row < 37; row++)
        {
            Set(block, row, smoke.Rows[row % 4]);
        }

        var scores = new EnsembleScores(37);
        ensemble.Score(block, 37, scores);

        for (int row = 0; row < 37; row++)
        {
            Assert.Equal(smoke.Probabilities[row % 4], scores.Probability[row], 1e-12);
            Assert.Equal(scores.Probability[row], scores.Trees[row]);
            Assert.True(double.IsNaN(scores.Network[row]));
        }
    }

    [Fact]
    public void Contributions_and_start_add_up_to_the_log_odds()
    {
        using var ensemble = Load(PackageWorkshop.Manifest());
        var smoke = PackageWorkshop.Smoke();
        var block = new FeatureBlock(2, 4);
        for (int row = 0; row < 4; row++)
        {
            Set(block, row, smoke.Rows[row]);
            var contributions = new double[2];

            double start = ensemble.Explain(block, row, contributions);

            double logOdds = Math.Log(smoke.Probabilities[row] / (1 - smoke.Probabilities[row]));
            Assert.Equal(logOdds, start + contributions.Sum(), 1e-9);
        }
    }

    [Fact]
    public void A_stump_is_credited_to_its_own_feature()
    {
        using var ensemble = Load(PackageWorkshop.Manifest());
        var block = new FeatureBlock(2, 1);
        Set(block, 0, [500, 1]);
        var contributions = new double[2];

        ensemble.Explain(block, 0, contributions);

        // Each stump's leaf minus its mean over the training rows, times the calibration's slope.
        Assert.Equal(0.8 * (2 - ((0.9 * -1) + (0.1 * 2))), contributions[0], 1e-6);
        Assert.Equal(0.8 * (-0.5 - ((0.7 * -0.5) + (0.3 * 1))), contributions[1], 1e-6);
    }

    [Fact]
    public void Two_components_are_joined_in_log_odds_and_fall_back_to_the_trees()
    {
        var files = PackageWorkshop.Files();
        files[PackageFiles.Network] = Network();
        var smoke = PackageWorkshop.Smoke();
        double[] network = [.. smoke.Rows.Take(3).Select(row => 1 / (1 + Math.Exp(-((0.01 * row[0]) - row[1]))))];
        double[] joint = [.. network.Select((p, i) => 1 / (1 + Math.Exp(-(0.1 + (0.6 * LogOdds(smoke.Probabilities[i])) + (0.3 * LogOdds(p))))))];
        files[PackageFiles.Smoke] = PackageJson.Write(smoke with { Rows = [.. smoke.Rows.Take(3)], Probabilities = joint });
        var manifest = PackageWorkshop.Manifest() with { Network = new() { Calibration = Calibration.Identity.ToManifest() }, Blend = new(0.1, 0.6, 0.3) };

        // The verifier itself compares with the smoke vectors, worked out above.
        var reading = PackageVerifier.Verify(PackageWriter.Write(manifest, files, workshop.Key), workshop.Policy);
        Assert.Null(reading.Refusal);
        using var ensemble = reading.Ensemble!;
        using var other = ensemble.ForAnotherLane();
        var block = new FeatureBlock(2, 3);
        for (int row = 0; row < 3; row++)
        {
            Set(block, row, smoke.Rows[row]);
        }

        var full = new EnsembleScores(3);
        var treesOnly = new EnsembleScores(3);
        other.Score(block, 3, full);
        ensemble.Score(block, 3, treesOnly, EnsembleStep.TreesOnly);
        for (int row = 0; row < 3; row++)
        {
            Assert.Equal(joint[row], full.Probability[row], 1e-6);
            Assert.Equal(network[row], full.Network[row], 1e-6);
            Assert.Equal(smoke.Probabilities[row], treesOnly.Probability[row], 1e-9);
            Assert.True(double.IsNaN(treesOnly.Network[row]));

            // The trees' part of the joint log-odds is explained, bias included; the network's is what is missing to the whole.
            var contributions = new double[2];
            double explained = ensemble.Explain(block, row, contributions) + contributions.Sum();
            Assert.Equal(LogOdds(joint[row]) - (0.3 * LogOdds(network[row])), explained, 1e-6);
        }

        static double LogOdds(double p) => Math.Log(p / (1 - p));

        // sigmoid(0.01 amount - count): a network of one neuron.
        static byte[] Network() => OnnxWriter.Write(new OnnxModel
        {
            OperatorSets = [new OnnxOperatorSet("", 17)],
            Graph = new OnnxGraph
            {
                Name = "neuron",
                Nodes =
                [
                    new OnnxNode { Operator = "MatMul", Inputs = ["features", "weights"], Outputs = ["sum"] },
                    new OnnxNode { Operator = "Sigmoid", Inputs = ["sum"], Outputs = ["score"] },
                ],
                Initializers = [OnnxTensor.Of("weights", (ReadOnlySpan<float>)[0.01f, -1f], 2, 1)],
                Inputs = [OnnxValue.Matrix("features", 2)],
                Outputs = [OnnxValue.Matrix("score", 1)],
            },
        });
    }

    [Fact]
    public void An_isotonic_calibration_is_explained_on_the_raw_margin()
    {
        var smoke = PackageWorkshop.Smoke();
        var files = PackageWorkshop.Files();
        var calibration = Calibration.Isotonic([-4, 0, 2], [0.01, 0.4, 0.9]);
        double[] margins = [-3.5, -0.5, 1, 1];
        files[PackageFiles.Smoke] = PackageJson.Write(smoke with { Probabilities = [.. margins.Select(calibration.Probability)] });
        var reading = PackageVerifier.Verify(PackageWriter.Write(PackageWorkshop.Manifest() with { Trees = new() { Calibration = calibration.ToManifest() } }, files, workshop.Key), workshop.Policy);
        Assert.Null(reading.Refusal);
        using var ensemble = reading.Ensemble!;
        var block = new FeatureBlock(2, 1);
        Set(block, 0, smoke.Rows[1]);
        var contributions = new double[2];

        Assert.Equal(margins[1], ensemble.Explain(block, 0, contributions) + contributions.Sum(), 1e-6);
    }

    [Fact]
    public void A_block_of_other_features_is_a_programming_error()
    {
        using var ensemble = Load(PackageWorkshop.Manifest());
        Assert.Throws<ArgumentException>(() => ensemble.Score(new FeatureBlock(3, 1), 1, new EnsembleScores(1)));
        Assert.Throws<ArgumentException>(() => ensemble.Score(new FeatureBlock(2, 64), 64, new EnsembleScores(16)));
    }

    private Ensemble Load(PackageManifest manifest)
    {
        var reading = PackageVerifier.Verify(PackageWriter.Write(manifest, PackageWorkshop.Files(), workshop.Key), workshop.Policy);
        Assert.Null(reading.Refusal);
        reading.Ensemble!.Dispose();
        return Ensemble.Load(reading.Package!);
    }

    private static void Set(FeatureBlock block, int row, IReadOnlyList<float> values)
    {
        for (int feature = 0; feature < values.Count; feature++)
        {
            block.Set(row, feature, values[feature]);
        }
    }
}
