using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Evaluation;

/// <summary>What a package's model says about rows, as a worker would compute it.</summary>
/// <param name="Probabilities">Calibrated scores.</param>
/// <param name="Trees">Those of the trees alone; there where there are two components.</param>
/// <param name="Network">Those of the network alone; there where there are two components.</param>
internal sealed record PackageScores(double[] Probabilities, double[] Trees, double[] Network)
{
    /// <summary>Scores rows of a table.</summary>
    public static PackageScores Of(Ensemble ensemble, FeatureTable table, IReadOnlyList<int> rows)
    {
        const int BatchRows = 1_024;
        var block = new FeatureBlock(table.FeatureCount, BatchRows);
        var output = new EnsembleScores(BatchRows);
        bool isBlend = ensemble.HasTrees && ensemble.HasNetwork;
        var scores = new PackageScores(new double[rows.Count], new double[isBlend ? rows.Count : 0], new double[isBlend ? rows.Count : 0]);
        for (int start = 0; start < rows.Count; start += BatchRows)
        {
            int count = Math.Min(BatchRows, rows.Count - start);
            for (int i = 0; i < count; i++)
            {
                var features = table.Features(rows[start + i]);
                for (int feature = 0; feature < features.Length; feature++)
                {
                    block.Set(i, feature, features[feature]);
                }
            }

            ensemble.Score(block, count, output);
            output.Probability.AsSpan(0, count).CopyTo(scores.Probabilities.AsSpan(start));
            if (isBlend)
            {
                output.Trees.AsSpan(0, count).CopyTo(scores.Trees.AsSpan(start));
                output.Network.AsSpan(0, count).CopyTo(scores.Network.AsSpan(start));
            }
        }

        return scores;
    }
}
