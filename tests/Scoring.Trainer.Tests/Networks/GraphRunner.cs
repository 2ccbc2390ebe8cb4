using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>Runs a graph of doubles once per call, in ONNX Runtime.</summary>
internal sealed class GraphRunner(OnnxModel model) : IDisposable
{
    private readonly InferenceSession session = NetworkSession.Open(model, NetworkDevice.Cpu);

    /// <summary>Outputs by name, row-major.</summary>
    public Dictionary<string, double[]> Run(params (string Name, double[] Values, long[] Dimensions)[] inputs)
    {
        using var run = new RunOptions();
        var values = inputs.Select(input => OrtValue.CreateTensorValueFromMemory(input.Values, input.Dimensions)).ToList();
        try
        {
            using var outputs = session.Run(run, [.. inputs.Select(input => input.Name)], values, session.OutputNames);
            return session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second.GetTensorDataAsSpan<double>().ToArray(), StringComparer.Ordinal);
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    public void Dispose() => session.Dispose();
}
