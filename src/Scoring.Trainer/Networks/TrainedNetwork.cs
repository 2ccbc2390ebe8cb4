using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>A network that training gave.</summary>
/// <param name="Model">Features to log-odds, everything inside; passed by <see cref="OnnxCheck"/>.</param>
/// <param name="Epochs">Passes over the rows that it was trained for, found on later rows.</param>
/// <param name="AveragePrecision">Average precision on those later rows, which choosing the epochs has flattered.</param>
internal sealed record TrainedNetwork(CheckedOnnx Model, int Epochs, double AveragePrecision)
{
    private const int RowsAtOnce = 1_024;

    /// <summary>Log-odds of rows, one each, as the worker's engine computes them from the published graph.</summary>
    /// <exception cref="InvalidOperationException">The engine does not take the graph: a defect of the trainer.</exception>
    public double[] LogOdds(IReadOnlyList<float[]> rows)
    {
        using var engine = NeuralNetwork.Create(Model, out string reason) ?? throw new InvalidOperationException($"the trained network does not load: {reason}");
        var logOdds = new double[rows.Count];
        for (int row = 0; row < rows.Count; row += RowsAtOnce)
        {
            float[][] some = [.. rows.Skip(row).Take(RowsAtOnce)];
            engine.Score([.. some.SelectMany(features => features)], some.Length, logOdds.AsSpan(row, some.Length));
        }

        return logOdds;
    }
}
