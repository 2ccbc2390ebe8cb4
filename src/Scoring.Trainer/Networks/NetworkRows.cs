using Microsoft.ML.OnnxRuntime;

namespace Scoring.Trainer.Networks;

/// <summary>Rows as a network takes them: prepared once, by the graph that will prepare them in the field.</summary>
/// <param name="Prepared">Row-major.</param>
/// <param name="IsFraud">Outcome of each row.</param>
/// <param name="Width">Values of a row.</param>
internal sealed record NetworkRows(float[] Prepared, bool[] IsFraud, int Width)
{
    private const int RowsAtOnce = 4_096;

    /// <summary>Number of rows.</summary>
    public int Count => IsFraud.Length;

    /// <summary>Values of one row.</summary>
    public ReadOnlySpan<float> Row(int row) => Prepared.AsSpan(row * Width, Width);

    /// <summary>Prepares rows.</summary>
    public static NetworkRows Prepare(InputPreparation preparation, IReadOnlyList<float[]> features, bool[] isFraud)
    {
        int width = preparation.Width;
        int featureCount = preparation.FeatureCount;
        var prepared = new float[(long)features.Count * width];
        var block = new float[Math.Min(RowsAtOnce, features.Count) * featureCount];
        using var session = NetworkSession.Open(NetworkGraphs.Preparation(preparation), NetworkDevice.Cpu);
        using var run = new RunOptions();
        for (int start = 0; start < features.Count; start += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, features.Count - start);
            for (int i = 0; i < count; i++)
            {
                features[start + i].CopyTo(block, i * featureCount);
            }

            using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, block.AsMemory(0, count * featureCount), [count, featureCount]);
            using var output = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, prepared.AsMemory(start * width, count * width), [count, width]);
            session.Run(run, [NetworkGraphs.Features], [input], [NetworkGraphs.Rows], [output]);
        }

        return new(prepared, isFraud, width);
    }
}
