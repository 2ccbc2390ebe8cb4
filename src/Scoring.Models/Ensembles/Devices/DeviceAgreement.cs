using Microsoft.ML.OnnxRuntime;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>Compares a device with the processor before it scores for anybody.</summary>
internal static class DeviceAgreement
{
    /// <summary>Largest difference of a margin or of a network's output, absolute or as a share of it.</summary>
    internal const double Tolerance = 1e-5;

    private const int EdgeRowCount = 256;

    private static readonly int[] BatchRows = [1, 16, 64, 256, 1_024];

    /// <summary>What differs, or null. Runs batches of every size that a session keeps buffers for, so that a device has made its kernels before a lane waits for it.</summary>
    /// <param name="model">The device.</param>
    /// <param name="trees">Compiled trees, or null.</param>
    /// <param name="network">The network on the processor, or null.</param>
    /// <param name="smoke">Rows of the package's smoke vectors.</param>
    /// <param name="rowsMax">Most rows of a launch.</param>
    internal static DeviceFault? FindFault(DeviceModel model, TreeEnsemble? trees, NeuralNetwork? network, IReadOnlyList<IReadOnlyList<float>> smoke, int rowsMax)
    {
        try
        {
            foreach (int rowCount in BatchRows.Where(rowCount => rowCount < rowsMax).Append(rowsMax))
            {
                float[] rows = [.. Enumerable.Range(0, rowCount).SelectMany(row => smoke[row % smoke.Count])];
                if (FindFault(model, trees, network, rows, rowCount) is { } fault)
                    return fault;
            }

            return trees is null ? null : FindFaultAtEdges(model, trees);
        }
        catch (OnnxRuntimeException failure)
        {
            return new DeviceFault(DeviceFaultCode.SessionFailed, $"first rows: {failure.Message}");
        }
    }

    private static DeviceFault? FindFault(DeviceModel model, TreeEnsemble? trees, NeuralNetwork? network, float[] rows, int rowCount)
    {
        var (margins, outputs, expected) = (new double[rowCount], new double[rowCount], new double[rowCount]);
        model.Score(rows, rowCount, margins, outputs);
        network?.Score(rows, rowCount, expected);
        for (int row = 0; network is not null && row < rowCount; row++)
        {
            if (Differ(expected[row], outputs[row]))
                return Fault("network", row, outputs[row], expected[row]);
        }

        return trees is null ? null : FindFault(model, trees, margins, rows);
    }

    // A network is asked only for rows like those it was trained on; trees for any, at their thresholds above all.
    private static DeviceFault? FindFaultAtEdges(DeviceModel model, TreeEnsemble trees)
    {
        float[] rows = [.. EdgeRows(trees.Nodes)];
        var margins = new double[EdgeRowCount];
        model.ScoreTrees(rows, EdgeRowCount, margins);
        return FindFault(model, trees, margins, rows);
    }

    private static DeviceFault? FindFault(DeviceModel model, TreeEnsemble trees, double[] margins, float[] rows)
    {
        for (int row = 0; row < margins.Length; row++)
        {
            double expected = trees.ScoreOne(rows.AsSpan(row * model.FeatureCount, model.FeatureCount));
            if (Differ(expected, margins[row]))
                return Fault("trees", row, margins[row], expected);
        }

        return null;
    }

    private static DeviceFault Fault(string component, int row, double onDevice, double onProcessor) =>
        new(DeviceFaultCode.Disagrees, FormattableString.Invariant($"{component}, row {row}: {onDevice:R} on the device, {onProcessor:R} on the processor"));

    private static bool Differ(double expected, double actual) =>
        double.IsNaN(expected) ? !double.IsNaN(actual) : !(Math.Abs(expected - actual) <= Tolerance * Math.Max(1, Math.Abs(expected)));

    // Rows that lie on thresholds, one float above them, or are missing: where a device that compares otherwise would show.
    private static IEnumerable<float> EdgeRows(TreeNodes nodes)
    {
        var thresholds = new List<float>[nodes.FeatureCount];
        for (int feature = 0; feature < thresholds.Length; feature++)
            thresholds[feature] = [];
        for (int node = 0; node < nodes.NodeCount; node++)
        {
            if (nodes.Modes.Span[node] != TreeNodeMode.Leaf)
                thresholds[nodes.Features.Span[node]].Add(nodes.Thresholds.Span[node]);
        }

        for (int row = 0; row < EdgeRowCount; row++)
        {
            for (int feature = 0; feature < thresholds.Length; feature++)
            {
                List<float> known = thresholds[feature];
                float threshold = known.Count == 0 ? 0 : known[(int)((((uint)row * 31) + ((uint)feature * 7)) % known.Count)];
                yield return ((row + feature) % 5) switch { 0 => float.NaN, 1 or 2 => MathF.BitIncrement(threshold), _ => threshold };
            }
        }
    }
}
