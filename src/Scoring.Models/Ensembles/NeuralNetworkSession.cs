using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Ensembles;

/// <summary>An ONNX Runtime session and what is known of its score output. Closed when the last sharer lets go.</summary>
internal sealed class NeuralNetworkSession
{
    private readonly long[] rowDimensions;
    private int sharers = 1;

    private NeuralNetworkSession(InferenceSession native, CheckedOnnx model, string scoreName)
    {
        Native = native;
        Run = new RunOptions();
        InputName = model.InputName;
        FeatureCount = model.FeatureCount;
        ScoreName = scoreName;
        rowDimensions = [.. model.RowDimensions];
        DependsOnBatch = model.Model.Graph.Nodes.Any(node => string.Equals(node.Operator, "DynamicQuantizeLinear", StringComparison.Ordinal));
    }

    internal InferenceSession Native { get; }

    internal RunOptions Run { get; }

    internal string InputName { get; }

    internal int FeatureCount { get; }

    internal string ScoreName { get; }

    internal int ScoreColumn { get; private set; }

    internal int OutputColumns { get; private set; }

    /// <summary>Whether the output is [N, columns] rather than [N].</summary>
    internal bool OutputIsMatrix { get; private set; }

    /// <summary>Whether the output is in double precision, as that of <see cref="TensorTrees"/>.</summary>
    internal bool OutputIsDouble { get; private init; }

    /// <summary>Whether a row's output depends on the rows beside it.</summary>
    internal bool DependsOnBatch { get; }

    internal static NeuralNetworkSession? Open(CheckedOnnx model, int? scoreColumn, ExecutionProvider provider, out string reason)
    {
        InferenceSession? native = null;
        try
        {
            using SessionOptions options = provider.Options(); // Goes through OnnxRuntimeEnvironment, as every door does.
            native = new InferenceSession(OnnxWriter.Write(WithoutZipMap(model.Model)), options);
            string[] names = OutputsOf(native, TensorElementType.Float);
            bool isDouble = names.Length == 0;
            names = isDouble ? OutputsOf(native, TensorElementType.Double) : names;
            if (names.Length != 1)
            {
                reason = $"{names.Length} float outputs ({string.Join(", ", names)}); a scorer has one";
                native.Dispose();
                return null;
            }

            var session = new NeuralNetworkSession(native, model, names[0]) { OutputIsDouble = isDouble };
            if (session.MeasureOutput(scoreColumn) is not { } fault)
            {
                reason = "";
                return session;
            }

            reason = fault;
            session.Release();
            return null;
        }
        catch (OnnxRuntimeException refused)
        {
            native?.Dispose();
            reason = $"ONNX Runtime refuses the model: {refused.Message}";
            return null;
        }
    }

    internal long[] ShapeOf(int rowCount) => [rowCount, .. rowDimensions];

    internal void Share() => Interlocked.Increment(ref sharers);

    internal void Release()
    {
        if (Interlocked.Decrement(ref sharers) != 0)
            return;
        Run.Dispose();
        Native.Dispose();
    }

    private static string[] OutputsOf(InferenceSession native, TensorElementType type) =>
        [.. native.OutputMetadata.Where(output => output.Value.IsTensor && output.Value.ElementDataType == type).Select(output => output.Key)];

    // Declared shapes may be absent or wrong: three rows of zeros show the real one. Three is no usual column count.
    private string? MeasureOutput(int? scoreColumn)
    {
        const int Rows = 3;
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(new float[Rows * FeatureCount], ShapeOf(Rows));
        using IDisposableReadOnlyCollection<OrtValue> outputs = Native.Run(Run, [InputName], [input], [ScoreName]);
        long[] shape = outputs[0].GetTensorTypeAndShape().Shape;
        if (shape.Length is not (1 or 2) || shape[0] != Rows)
            return $"output '{ScoreName}' has shape [{string.Join(", ", shape)}] for {Rows} rows; [N] or [N, columns] is due";
        OutputIsMatrix = shape.Length == 2;
        OutputColumns = OutputIsMatrix ? (int)Math.Min(shape[1], 4096) : 1;
        int column = scoreColumn ?? (OutputColumns <= 2 ? OutputColumns - 1 : -1);
        ScoreColumn = column;
        return column >= 0 && column < OutputColumns
            ? null
            : $"output '{ScoreName}' has {OutputColumns} columns; say which one is the score";
    }

    // ZipMap turns the matrix of probabilities into a list of dictionaries, row by row: its input is what we want.
    private static OnnxModel WithoutZipMap(OnnxModel model)
    {
        OnnxNode[] maps = [.. model.Graph.Nodes.Where(node => string.Equals(node.Operator, "ZipMap", StringComparison.Ordinal) && node.Inputs.Count == 1 && node.Outputs.Count == 1)];
        if (maps.Length == 0)
            return model;
        var sources = maps.ToDictionary(node => node.Outputs[0], node => node.Inputs[0], StringComparer.Ordinal);
        OnnxGraph graph = model.Graph with
        {
            Nodes = [.. model.Graph.Nodes.Except(maps)],
            Outputs = [.. model.Graph.Outputs.Select(output => sources.TryGetValue(output.Name, out string? source) ? new OnnxValue { Name = source, ElementType = OnnxElementType.Float } : output)],
        };
        return model with { Graph = graph };
    }
}
