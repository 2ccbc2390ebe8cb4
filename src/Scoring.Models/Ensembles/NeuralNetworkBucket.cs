using Microsoft.ML.OnnxRuntime;

namespace Scoring.Models.Ensembles;

/// <summary>Input and output buffers of one batch size, bound to a session once.</summary>
internal sealed class NeuralNetworkBucket : IDisposable
{
    private readonly NeuralNetworkSession session;
    private readonly float[] input;
    private readonly float[] output = [];
    private readonly double[] doubleOutput = [];
    private readonly OrtValue inputValue;
    private readonly OrtValue outputValue;
    private readonly OrtIoBinding binding;

    internal NeuralNetworkBucket(NeuralNetworkSession session, int rowCount)
    {
        this.session = session;
        RowCount = rowCount;
        input = new float[rowCount * session.FeatureCount];
        long[] shape = session.OutputIsMatrix ? [rowCount, session.OutputColumns] : [rowCount];
        inputValue = OrtValue.CreateTensorValueFromMemory(input, session.ShapeOf(rowCount));
        if (session.OutputIsDouble)
        {
            doubleOutput = new double[rowCount * session.OutputColumns];
            outputValue = OrtValue.CreateTensorValueFromMemory(doubleOutput, shape);
        }
        else
        {
            output = new float[rowCount * session.OutputColumns];
            outputValue = OrtValue.CreateTensorValueFromMemory(output, shape);
        }

        binding = session.Native.CreateIoBinding();
        binding.BindInput(session.InputName, inputValue);
        binding.BindOutput(session.ScoreName, outputValue);
    }

    internal int RowCount { get; }

    /// <summary>Runs up to <see cref="RowCount"/> rows; the rest of the buffer keeps what it held, and its outputs are not read.</summary>
    internal void Run(ReadOnlySpan<float> rowMajor, Span<double> outputs)
    {
        rowMajor.CopyTo(input);
        try
        {
            session.Native.RunWithBinding(session.Run, binding);
        }
        catch (OnnxRuntimeException)
        {
            Array.Clear(input); // A row that fails must not stay behind the next, shorter batch and make it fail too.
            throw;
        }

        for (int row = 0; row < outputs.Length; row++)
        {
            int at = (row * session.OutputColumns) + session.ScoreColumn;
            outputs[row] = session.OutputIsDouble ? doubleOutput[at] : output[at];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        binding.Dispose();
        inputValue.Dispose();
        outputValue.Dispose();
    }
}
