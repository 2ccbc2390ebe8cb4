using Scoring.Models.Ensembles;
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
