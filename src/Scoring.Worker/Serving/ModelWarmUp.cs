using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Serving;

/// <summary>Scores a package's smoke vectors in batches of every size that a lane will use, before a lane does: code is compiled, sessions have allocated.</summary>
internal static class ModelWarmUp
{
    /// <summary>Rows of the batches: one, and those that a network keeps buffers for.</summary>
    private static readonly int[] BatchRows = [1, 16, 64, 256, 1_024];

    /// <summary>Warms an ensemble on an instance of its own.</summary>
    /// <param name="ensemble">It has reproduced its smoke vectors once, in one batch.</param>
    /// <param name="rowsMax">Most rows of a lane's batch.</param>
    /// <returns>Null, or what it did not reproduce in a batch of another size.</returns>
    public static PackageRefusal? Run(Ensemble ensemble, int rowsMax)
    {
        var smoke = PackageJson.Read<SmokeVectors>(ensemble.Package.File(PackageFiles.Smoke).Span, out _)!; // The verifier has read it.
        using var instance = ensemble.ForAnotherLane();
        foreach (int rowCount in BatchRows.Where(rows => rows < rowsMax).Append(rowsMax))
        {
            var block = Filled(smoke, ensemble.FeatureCount, rowCount);
            var scores = new EnsembleScores(rowCount);
            try
            {
                instance.Score(block, rowCount, scores);
                instance.Explain(block, 0, new double[ensemble.FeatureCount]);
            }
            catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException failure)
            {
                return new(PackageRefusalCode.SmokeMismatch, FormattableString.Invariant($"the model fails on a batch of {rowCount} rows: {failure.Message}"));
            }

            for (int row = 0; row < rowCount; row++)
            {
                double wanted = smoke.Probabilities[row % smoke.Rows.Count];
                if (!(Math.Abs(scores.Probability[row] - wanted) <= SmokeVectors.Tolerance))
                {
                    return new(PackageRefusalCode.SmokeMismatch, FormattableString.Invariant($"in a batch of {rowCount} rows smoke vector {row % smoke.Rows.Count} gives {scores.Probability[row]:R}, {smoke.Reference} gave {wanted:R}"));
                }
            }
        }

        return null;
    }

    private static FeatureBlock Filled(SmokeVectors smoke, int featureCount, int rowCount)
    {
        var block = new FeatureBlock(featureCount, rowCount);
        for (int row = 0; row < rowCount; row++)
        {
            var values = smoke.Rows[row % smoke.Rows.Count];
            for (int feature = 0; feature < featureCount; feature++)
            {
                block.Set(row, feature, values[feature]);
            }
        }

        return block;
    }
}
