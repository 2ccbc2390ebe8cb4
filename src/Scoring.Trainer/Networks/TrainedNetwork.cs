using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>A network that training gave.</summary>
/// <param name="Model">Features to log-odds, everything inside; passed by <see cref="OnnxCheck"/>.</param>
/// <param name="Epochs">Passes over the rows that it was trained for, found on later rows.</param>
/// <param name="AveragePrecision">Average precision on those later rows, which choosing the epochs has flattered.</param>
internal sealed record TrainedNetwork(CheckedOnnx Model, int Epochs, double AveragePrecision);
