using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Models.Ensembles;

/// <summary>The components of a package, their calibrations and their blend: features in, probability of fraud out.</summary>
/// <remarks>
/// The compiled trees are shared; the network's buffers are not, so a lane takes its own instance by <see cref="ForAnotherLane"/>.
/// One component: its calibrated probability. Two: <see cref="Ensembles.Blend"/> over their calibrated log-odds.
/// </remarks>
public sealed class Ensemble : IDisposable
{
    private readonly TreeEnsemble? trees;
    private readonly TreeContributions? contributor;
    private readonly Calibration treesCalibration;
    private readonly NeuralNetwork? network;
    private readonly Calibration networkCalibration;
    private readonly Blend blend;
    private readonly float[] row;
    private float[] rows = [];
    private DeviceExecutor? device;

    private Ensemble(ModelPackage package, TreeEnsemble? trees, TreeContributions? contributor, NeuralNetwork? network, DeviceExecutor? device = null)
    {
        Package = package;
        this.device = device;
        this.trees = trees;
        this.network = network;
        this.contributor = contributor;
        var manifest = package.Manifest;
        treesCalibration = manifest.Trees?.Calibration.ToCalibration() ?? Calibration.Identity;
        networkCalibration = manifest.Network?.Calibration.ToCalibration() ?? Calibration.Identity;
        blend = manifest.Blend is { } joined ? new(joined.Bias, joined.Trees, joined.Network) : Blend.Mean;
        row = new float[FeatureCount];
    }

    /// <summary>The package it was loaded from.</summary>
    public ModelPackage Package { get; }

    /// <summary>Name of the model.</summary>
    public string Name => Package.Manifest.Name;

    /// <summary>Version of the model.</summary>
    public string Version => Package.Manifest.Version;

    /// <summary>Digest of the package, lower-case hex.</summary>
    public string Sha256 => Package.Sha256;

    /// <summary>Digest of the feature plan it was trained on.</summary>
    public string PlanDigest => Package.Manifest.PlanDigest;

    /// <summary>From which probability on to act.</summary>
    public ThresholdsManifest Thresholds => Package.Manifest.Thresholds;

    /// <summary>Features of a row.</summary>
    public int FeatureCount => Package.Manifest.Features.Count;

    /// <summary>Whether <see cref="EnsembleStep.TreesOnly"/> gives a score.</summary>
    public bool HasTrees => trees is not null;

    /// <summary>Whether the full step needs ONNX Runtime.</summary>
    public bool HasNetwork => network is not null;

    /// <summary>Fewest rows for which <see cref="ScoreOnDevice"/> is worth asking; <see cref="int.MaxValue"/> without a device.</summary>
    public int DeviceRowsMin => device?.RowsMin ?? int.MaxValue;

    /// <summary>Loads the components of a verified package.</summary>
    /// <exception cref="InvalidOperationException">A component cannot be loaded; the verifier has then refused the package already.</exception>
    public static Ensemble Load(ModelPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        return TryLoad(package, out var refusal) ?? throw new InvalidOperationException(refusal!.Sentence);
    }

    /// <summary>The same, with the reason as a value.</summary>
    internal static Ensemble? TryLoad(ModelPackage package, out PackageRefusal? refusal)
    {
        TreeEnsemble? compiled = null;
        NeuralNetwork? session = null;
        if (package.Manifest.Trees is not null)
        {
            if (CheckFile(package, PackageFiles.Trees, out refusal) is not { } model)
            {
                return null;
            }

            var reading = OnnxTrees.Read(model.Model);
            if (reading.Ensemble is null)
            {
                refusal = new(PackageRefusalCode.ModelRefused, $"{PackageFiles.Trees}: {reading.Reason}; such a model belongs into {PackageFiles.Network}");
                return null;
            }

            compiled = reading.Ensemble;
        }

        if (package.Manifest.Network is not null)
        {
            if (CheckFile(package, PackageFiles.Network, out refusal) is not { } model)
            {
                return null;
            }

            session = NeuralNetwork.Create(model, out string reason);
            if (session is null)
            {
                refusal = new(PackageRefusalCode.ModelRefused, $"{PackageFiles.Network}: {reason}");
                return null;
            }
        }

        refusal = null;
        return new Ensemble(package, compiled, compiled is null ? null : new TreeContributions(compiled), session);
    }

    /// <summary>The same ensemble with buffers of its own, for another thread.</summary>
    public Ensemble ForAnotherLane() => new(Package, trees, contributor?.ForAnotherThread(), network?.ForAnotherLane(), device?.Share());

    /// <summary>Loads the components onto a device too, for this instance and those that lanes take from it from now on. The processor stays ready.</summary>
    /// <param name="provider">The device.</param>
    /// <param name="options">How lanes share it.</param>
    /// <returns>Null, or why the device is not used: among others, that its scores of the smoke vectors and at thresholds are not the processor's to 1e-5.</returns>
    /// <exception cref="InvalidOperationException">A device was given before.</exception>
    public DeviceFault? UseDevice(ExecutionProvider provider, DeviceOptions options)
    {
        if (device is not null)
            throw new InvalidOperationException("this ensemble has a device already");
        var checkedNetwork = network is null ? null : OnnxCheck.Check(Package.File(PackageFiles.Network), out _);
        if (DeviceModel.Open(trees, checkedNetwork, provider, out var fault) is not { } model)
            return fault;
        var smoke = PackageJson.Read<SmokeVectors>(Package.File(PackageFiles.Smoke).Span, out _)!; // The verifier has read it.
        fault = DeviceAgreement.FindFault(model, trees, network, smoke.Rows, options.RowsMax);
        if (fault is null)
            device = new DeviceExecutor(model, options);
        else
            model.Dispose();
        return fault;
    }

    /// <summary>Scores like <see cref="Score"/>, all components on the device, joined with the rows of other lanes. Waits, at most <see cref="DeviceOptions.TimeoutMs"/> for each launch.</summary>
    /// <param name="block">Feature values of this ensemble's plan.</param>
    /// <param name="rowCount">Rows to score.</param>
    /// <param name="output">Receives the scores; holds nothing of use unless the answer is <see cref="DeviceOutcome.Scored"/>.</param>
    /// <exception cref="InvalidOperationException">There is no device.</exception>
    public DeviceOutcome ScoreOnDevice(FeatureBlock block, int rowCount, EnsembleScores output)
    {
        if (device is null)
            throw new InvalidOperationException("this ensemble has no device");
        CheckRoom(block, rowCount, output);
        var margins = output.Trees.AsSpan(0, rowCount);
        var outputs = output.Network.AsSpan(0, rowCount);
        var outcome = device.Score(block, margins, outputs);
        if (outcome == DeviceOutcome.Scored)
        {
            Calibrate(treesCalibration, margins);
            Calibrate(networkCalibration, outputs);
            Join(output, rowCount);
        }

        return outcome;
    }

    /// <summary>Scores the first <paramref name="rowCount"/> rows of a block. Not for two threads at once on one instance.</summary>
    /// <param name="block">Feature values of this ensemble's plan.</param>
    /// <param name="rowCount">Rows to score.</param>
    /// <param name="output">Receives the scores; room for at least as many rows.</param>
    /// <param name="step">Which components to ask.</param>
    /// <exception cref="ArgumentException">The block has other features, or the output too little room.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The network failed: score again with <see cref="EnsembleStep.TreesOnly"/>.</exception>
    public void Score(FeatureBlock block, int rowCount, EnsembleScores output, EnsembleStep step = EnsembleStep.Full)
    {
        CheckRoom(block, rowCount, output);
        ScoreTrees(block, rowCount, output.Trees);
        ScoreNetwork(block, rowCount, output.Network, step);
        Join(output, rowCount);
    }

    /// <summary>How much each feature moves the log-odds of one row, up or down from the average row.</summary>
    /// <param name="block">Feature values.</param>
    /// <param name="rowIndex">Row to explain.</param>
    /// <param name="contributions">One value per feature, in log-odds.</param>
    /// <returns>
    /// The log-odds that the contributions start from. Trees with a Platt calibration: start + sum = log-odds of the trees' calibrated
    /// probability, exactly. Isotonic: start + sum = the trees' raw margin (right in order and proportion, not in size, because the polyline is not
    /// additive); identity: the trees' own output. In a blend: the trees' part of the joint log-odds, their weight included; a network's part is
    /// not explained here. Without trees: NaN, and no contributions.
    /// </returns>
    public double Explain(FeatureBlock block, int rowIndex, Span<double> contributions)
    {
        contributions.Clear();
        if (trees is null)
        {
            return double.NaN;
        }

        block.CopyRow(rowIndex, row);
        contributor!.Explain(row, contributions);
        double scale = treesCalibration.Slope * (network is null ? 1 : blend.TreesWeight);
        double shift = network is null ? treesCalibration.Intercept : (blend.TreesWeight * treesCalibration.Intercept) + blend.Bias;
        foreach (ref double contribution in contributions)
        {
            contribution *= scale;
        }

        return (contributor.Bias * scale) + shift;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        network?.Dispose();
        device?.Release();
        device = null;
    }

    private static CheckedOnnx? CheckFile(ModelPackage package, string name, out PackageRefusal? refusal)
    {
        var model = OnnxCheck.Check(package.File(name), out var faults);
        refusal = model switch
        {
            null => new(PackageRefusalCode.ModelRefused, $"{name}: {string.Join("; ", faults)}"),
            _ when model.FeatureCount != package.Manifest.Features.Count =>
                new(PackageRefusalCode.ModelRefused, $"{name} takes {model.FeatureCount} values a row, the manifest names {package.Manifest.Features.Count} features"),
            _ => null,
        };
        return refusal is null ? model : null;
    }

    private void ScoreTrees(FeatureBlock block, int rowCount, double[] output)
    {
        if (trees is null)
        {
            output.AsSpan(0, rowCount).Fill(double.NaN);
            return;
        }

        for (int start = 0; start < rowCount; start += FeatureBlock.Lanes)
        {
            var margins = output.AsSpan(start, FeatureBlock.Lanes);
            trees.Score(block.Block(start / FeatureBlock.Lanes), margins);
            Calibrate(treesCalibration, margins);
        }
    }

    private void ScoreNetwork(FeatureBlock block, int rowCount, double[] output, EnsembleStep step)
    {
        var outputs = output.AsSpan(0, rowCount);
        if (network is null || step == EnsembleStep.TreesOnly)
        {
            outputs.Fill(double.NaN);
            return;
        }

        if (rows.Length < rowCount * FeatureCount)
        {
            rows = new float[block.BlockCount * FeatureBlock.Lanes * FeatureCount];
        }

        for (int i = 0; i < rowCount; i++)
        {
            block.CopyRow(i, rows.AsSpan(i * FeatureCount, FeatureCount));
        }

        network.Score(rows.AsSpan(0, rowCount * FeatureCount), rowCount, outputs);
        Calibrate(networkCalibration, outputs);
    }

    private static void Calibrate(Calibration calibration, Span<double> values)
    {
        foreach (ref double value in values)
        {
            value = calibration.Probability(value);
        }
    }

    private void CheckRoom(FeatureBlock block, int rowCount, EnsembleScores output)
    {
        if (block.FeatureCount != FeatureCount || output.RowsMax < rowCount || block.BlockCount * FeatureBlock.Lanes < rowCount)
        {
            throw new ArgumentException($"{rowCount} rows of {FeatureCount} features are due, got a block of {block.BlockCount * FeatureBlock.Lanes} rows of {block.FeatureCount} and room for {output.RowsMax}", nameof(block));
        }
    }

    private void Join(EnsembleScores output, int rowCount)
    {
        for (int i = 0; i < rowCount; i++)
        {
            output.Probability[i] = Join(output.Trees[i], output.Network[i]);
        }
    }

    private double Join(double fromTrees, double fromNetwork)
    {
        if (double.IsNaN(fromNetwork))
        {
            return fromTrees;
        }

        return trees is null ? fromNetwork : Logistic.Probability(blend.LogOdds(Logistic.LogOdds(fromTrees), Logistic.LogOdds(fromNetwork)));
    }
}
