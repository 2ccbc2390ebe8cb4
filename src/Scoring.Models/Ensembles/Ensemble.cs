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

    private Ensemble(ModelPackage package, TreeEnsemble? trees, TreeContributions? contributor, NeuralNetwork? network)
    {
        Package = package;
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
    public Ensemble ForAnotherLane() => new(Package, trees, contributor?.ForAnotherThread(), network?.ForAnotherLane());

    /// <summary>Scores the first <paramref name="rowCount"/> rows of a block. Not for two threads at once on one instance.</summary>
    /// <param name="block">Feature values of this ensemble's plan.</param>
    /// <param name="rowCount">Rows to score.</param>
    /// <param name="output">Receives the scores; room for at least as many rows.</param>
    /// <param name="step">Which components to ask.</param>
    /// <exception cref="ArgumentException">The block has other features, or the output too little room.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The network failed: score again with <see cref="EnsembleStep.TreesOnly"/>.</exception>
    public void Score(FeatureBlock block, int rowCount, EnsembleScores output, EnsembleStep step = EnsembleStep.Full)
    {
        if (block.FeatureCount != FeatureCount || output.RowsMax < rowCount || block.BlockCount * FeatureBlock.Lanes < rowCount)
        {
            throw new ArgumentException($"{rowCount} rows of {FeatureCount} features are due, got a block of {block.BlockCount * FeatureBlock.Lanes} rows of {block.FeatureCount} and room for {output.RowsMax}", nameof(block));
        }

        ScoreTrees(block, rowCount, output.Trees);
        ScoreNetwork(block, rowCount, output.Network, step);
        for (int i = 0; i < rowCount; i++)
        {
            output.Probability[i] = Join(output.Trees[i], output.Network[i]);
        }
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
    public void Dispose() => network?.Dispose();

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
            foreach (ref double margin in margins)
            {
                margin = treesCalibration.Probability(margin);
            }
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
        foreach (ref double value in outputs)
        {
            value = networkCalibration.Probability(value);
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
