using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>Small problems of which the answer is known.</summary>
internal static class Problems
{
    /// <summary>Rows a minute apart; features in [-1, 1].</summary>
    /// <param name="rowCount">Rows.</param>
    /// <param name="featureCount">Features.</param>
    /// <param name="isFraud">The truth.</param>
    /// <param name="seed">Seed of the features.</param>
    public static FeatureTable Table(int rowCount, int featureCount, Func<float[], Random, bool> isFraud, int seed = 1)
    {
        var random = new Random(seed);
        var table = new FeatureTable(featureCount);
        for (int row = 0; row < rowCount; row++)
        {
            float[] features = [.. Enumerable.Range(0, featureCount).Select(_ => (float)((random.NextDouble() * 2) - 1))];
            bool fraud = isFraud(features, random);
            table.Add(row * 60_000L, row % 97, (sbyte)(fraud ? 1 : 0), features);
        }

        return table;
    }

    /// <summary>Fraud where two features have the same sign: no single one says anything.</summary>
    public static bool SameSign(float[] features, Random random) => (features[0] > 0) == (features[1] > 0) ? random.Next(10) > 0 : random.Next(10) == 0;

    public static List<int> AllRows(FeatureTable table) => [.. Enumerable.Range(0, table.Count)];

    public static bool[] Outcomes(FeatureTable table) => [.. AllRows(table).Select(row => table.Label(row) == 1)];

    public static float[][] Features(FeatureTable table) => [.. AllRows(table).Select(table.Features)];
}
