using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Verification;

/// <summary>What a package's score must be: its files run by ONNX Runtime as they stand, its manifest's calibration and blend by their formulas.</summary>
internal sealed class PackageOracle : IDisposable
{
    private const int RowsAtOnce = 1_024;
    private const double Tolerance = 1e-6;

    /// <summary>Probabilities nearer to 0 or 1 are cut off before their log-odds are blended.</summary>
    private const double NearestToCertain = 1e-9;

    private readonly ModelPackage package;
    private readonly InferenceSession? trees;
    private readonly InferenceSession? network;
    private readonly Findings findings;
    private readonly List<Row> rows = new(RowsAtOnce);

    /// <summary>Opens the models of a package whose signature was found good.</summary>
    public PackageOracle(ModelPackage package, Findings findings)
    {
        this.package = package;
        this.findings = findings;
        OnnxRuntimeEnvironment.EnsureQuiet(); // Before anything of the library is touched: it would call home.
        trees = Open(package.Manifest.Trees, PackageFiles.Trees);
        network = Open(package.Manifest.Network, PackageFiles.Network);
    }

    /// <summary>Digest that scores of this package name.</summary>
    public string Sha256 => package.Sha256;

    /// <summary>What the package says of itself.</summary>
    public PackageManifest Manifest => package.Manifest;

    /// <summary>Why scores cannot be checked; null when they can.</summary>
    public string? NotChecked => new[] { trees, network }.OfType<InferenceSession>().Any(model => ScoreOutput(model) is null) ? "score: the model has not one output of floats" : null;

    /// <summary>Scores that were compared.</summary>
    public long Compared { get; private set; }

    /// <summary>Has a score compared, now or with the next.</summary>
    public void Check(int partition, long offset, string? transactionId, ScoreReading score, double[] features)
    {
        rows.Add(new Row(partition, offset, transactionId, score.Probability, score.DegradedReason ?? "", Array.ConvertAll(features, value => (float)value)));
        if (rows.Count == RowsAtOnce)
        {
            Finish();
        }
    }

    /// <summary>Compares those that wait.</summary>
    public void Finish()
    {
        if (rows.Count == 0)
        {
            return;
        }

        double[] fromTrees = Run(trees, package.Manifest.Trees?.Calibration);
        double[] fromNetwork = Run(network, package.Manifest.Network?.Calibration);
        for (int i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            double expected = row.Degraded.Contains("rules_only", StringComparison.Ordinal) ? double.NaN
                : row.Degraded.Contains("trees_only", StringComparison.Ordinal) || double.IsNaN(fromNetwork[i]) ? fromTrees[i]
                : double.IsNaN(fromTrees[i]) ? fromNetwork[i]
                : Blended(fromTrees[i], fromNetwork[i]);
            Compared++;
            if (!(Math.Abs(expected - row.Probability) <= Tolerance || (double.IsNaN(expected) && double.IsNaN(row.Probability))))
            {
                findings.Add(Invariant.Different, new Finding(row.Partition, row.Offset, row.TransactionId, FormattableString.Invariant($"score {expected:R}"), FormattableString.Invariant($"score {row.Probability:R}")));
            }
        }

        rows.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        trees?.Dispose();
        network?.Dispose();
    }

    private InferenceSession? Open(ComponentManifest? component, string file)
    {
        if (component is null)
        {
            return null;
        }

        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        return new InferenceSession(package.File(file).ToArray(), options);
    }

    private static string? ScoreOutput(InferenceSession model)
    {
        string[] floats = [.. model.OutputMetadata.Where(output => output.Value.IsTensor && output.Value.ElementType == typeof(float)).Select(output => output.Key)];
        return floats.Length == 1 ? floats[0] : null;
    }

    private double[] Run(InferenceSession? model, CalibrationManifest? calibration)
    {
        double[] probabilities = [.. rows.Select(_ => double.NaN)];
        if (model is null || calibration is null)
        {
            return probabilities;
        }

        var (name, form) = model.InputMetadata.Single();
        float[] values = [.. rows.SelectMany(row => row.Features)];
        using var input = OrtValue.CreateTensorValueFromMemory(values, [rows.Count, .. form.Dimensions.Skip(1).Select(length => (long)length)]);
        using var run = new RunOptions();
        using var outputs = model.Run(run, [name], [input], [ScoreOutput(model)!]);
        var scores = outputs[0].GetTensorDataAsSpan<float>();
        int columns = scores.Length / rows.Count; // The last of two is that of fraud.
        for (int i = 0; i < probabilities.Length; i++)
        {
            probabilities[i] = Calibrated(calibration, scores[(i * columns) + columns - 1]);
        }

        return probabilities;
    }

    private static double Calibrated(CalibrationManifest calibration, double score)
    {
        switch (calibration.Kind)
        {
            case "platt":
                return Probability((calibration.Slope!.Value * score) + calibration.Intercept!.Value);
            case "isotonic":
                var x = calibration.KnotScores!;
                var y = calibration.KnotProbabilities!;
                int above = x.Count(knot => knot <= score);
                return double.IsNaN(score) ? score
                    : above == 0 ? y[0]
                    : above == x.Count || score.Equals(x[above - 1]) ? y[above - 1]
                    : y[above - 1] + ((score - x[above - 1]) / (x[above] - x[above - 1]) * (y[above] - y[above - 1]));
            default:
                return double.IsNaN(score) ? score : Math.Clamp(score, 0, 1);
        }
    }

    private double Blended(double fromTrees, double fromNetwork)
    {
        var blend = package.Manifest.Blend ?? new BlendManifest(0, 0.5, 0.5);
        return Probability(blend.Bias + (blend.Trees * LogOdds(fromTrees)) + (blend.Network * LogOdds(fromNetwork)));
    }

    private static double Probability(double logOdds) => 1 / (1 + Math.Exp(-logOdds));

    private static double LogOdds(double probability)
    {
        double p = Math.Clamp(probability, NearestToCertain, 1 - NearestToCertain);
        return Math.Log(p / (1 - p));
    }

    private sealed record Row(int Partition, long Offset, string? TransactionId, double Probability, string Degraded, float[] Features);
}
