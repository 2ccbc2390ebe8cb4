using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>The components of an ensemble as sessions on a device. For one thread.</summary>
internal sealed class DeviceModel : IDisposable
{
    private readonly NeuralNetwork? trees;
    private readonly NeuralNetwork? network;

    private DeviceModel(NeuralNetwork? trees, NeuralNetwork? network)
    {
        this.trees = trees;
        this.network = network;
        FeatureCount = (trees ?? network)!.FeatureCount;
    }

    internal int FeatureCount { get; }

    internal bool HasTrees => trees is not null;

    /// <summary>Loads the components.</summary>
    /// <param name="trees">Compiled trees, or null.</param>
    /// <param name="network">Network, or null when there are trees.</param>
    /// <param name="provider">Where they run.</param>
    /// <param name="fault">Why not, where the answer is null.</param>
    internal static DeviceModel? Open(TreeEnsemble? trees, CheckedOnnx? network, ExecutionProvider provider, out DeviceFault? fault)
    {
        NeuralNetwork? treeSession = null, networkSession = null;
        try
        {
            if (trees is not null && (treeSession = Trees(trees, provider, out fault)) is null)
                return null;
            if (network is not null && (networkSession = NeuralNetwork.Create(network, out string reason, provider: provider)) is null)
            {
                treeSession?.Dispose();
                fault = new DeviceFault(DeviceFaultCode.SessionFailed, $"network on {provider.Name}: {reason}");
                return null;
            }

            fault = null;
            return new DeviceModel(treeSession, networkSession);
        }
        catch (Exception failure) when (failure is OnnxRuntimeException or ExternalException or DllNotFoundException)
        {
            treeSession?.Dispose();
            fault = new DeviceFault(DeviceFaultCode.SessionFailed, $"session on {provider.Name}: {failure.Message}");
            return null;
        }
    }

    /// <summary>Scores rows of any number.</summary>
    /// <param name="rowMajor">Values, <paramref name="rowCount"/> x <see cref="FeatureCount"/>.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="margins">One margin per row; NaN without trees.</param>
    /// <param name="outputs">One output of the network per row; NaN without one.</param>
    /// <exception cref="OnnxRuntimeException">A session failed.</exception>
    internal void Score(ReadOnlySpan<float> rowMajor, int rowCount, Span<double> margins, Span<double> outputs)
    {
        ScoreTrees(rowMajor, rowCount, margins);
        if (network is null)
            outputs.Fill(double.NaN);
        else
            network.Score(rowMajor, rowCount, outputs);
    }

    /// <summary>The same for the trees alone.</summary>
    internal void ScoreTrees(ReadOnlySpan<float> rowMajor, int rowCount, Span<double> margins)
    {
        if (trees is null)
            margins.Fill(double.NaN);
        else
            trees.Score(rowMajor, rowCount, margins);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        trees?.Dispose();
        network?.Dispose();
    }

    private static NeuralNetwork? Trees(TreeEnsemble trees, ExecutionProvider provider, out DeviceFault? fault)
    {
        if (TensorTrees.Write(trees, out string reason) is not { } graph)
        {
            fault = new DeviceFault(DeviceFaultCode.TooLarge, $"trees: {reason}");
            return null;
        }

        if (OnnxCheck.Check(graph, out var faults) is not { } model)
        {
            throw new InvalidOperationException($"our own graph does not pass our own check: {faults[0]}");
        }

        NeuralNetwork? session = NeuralNetwork.Create(model, out reason, provider: provider);
        fault = session is null ? new DeviceFault(DeviceFaultCode.SessionFailed, $"trees on {provider.Name}: {reason}") : null;
        return session;
    }
}
