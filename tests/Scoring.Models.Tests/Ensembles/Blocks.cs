using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Rows into feature-major blocks of 16; the last one is padded with NaN.</summary>
internal static class Blocks
{
    /// <summary>The kernels that this machine's processor has instructions for.</summary>
    internal static TreeKernel[] Kernels { get; } = [.. Enum.GetValues<TreeKernel>().Where(kernel => kernel != TreeKernel.Vector512 || TreeKernels.HasVector512)];

    internal static double[] Score(TreeEnsemble trees, float[][] rows)
    {
        var scores = new double[rows.Length];
        var block = new float[trees.FeatureCount * TreeEnsemble.BlockRows];
        var margins = new double[TreeEnsemble.BlockRows];
        for (int first = 0; first < rows.Length; first += TreeEnsemble.BlockRows)
        {
            Array.Fill(block, float.NaN);
            int count = Math.Min(TreeEnsemble.BlockRows, rows.Length - first);
            for (int row = 0; row < count; row++)
            {
                for (int feature = 0; feature < trees.FeatureCount; feature++)
                    block[(feature * TreeEnsemble.BlockRows) + row] = rows[first + row][feature];
            }

            trees.Score(block, margins);
            margins.AsSpan(0, count).CopyTo(scores.AsSpan(first));
        }

        return scores;
    }
}
