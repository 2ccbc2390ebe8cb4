using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Training;

/// <summary>Packs a model that another library has trained.</summary>
internal static class ForeignModel
{
    private const int SmokeSeed = 1;

    /// <summary>Checks a file, decides which engine runs it, lets ONNX Runtime state its scores, and signs.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="facts">Name, service, plan and validity.</param>
    /// <param name="thresholds">From which score on to act.</param>
    /// <param name="isLogOdds">Whether a model without a transform of its own gives log-odds; by default it gives probabilities.</param>
    /// <param name="key">The signer's key.</param>
    /// <exception cref="TrainerException">The file is not taken, takes other features, or gives no probabilities.</exception>
    public static byte[] Pack(string path, PackageAssembly.Facts facts, ThresholdsManifest thresholds, bool isLogOdds, PackageKey key)
    {
        var model = OnnxCheck.Check(File.ReadAllBytes(path), out var faults)
            ?? throw new TrainerException(ExitCode.Data, $"{path}: {string.Join($"\n{path}: ", faults)}");
        if (model.FeatureCount != facts.Features.Count)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: takes {model.FeatureCount} values a row, the definition has {facts.Features.Count} features: {string.Join(", ", facts.Features)}");
        }

        var trees = OnnxTrees.Read(model.Model);
        using var reference = NeuralNetwork.Create(model, out string reason) ?? throw new TrainerException(ExitCode.Data, $"{path}: {reason}");
        bool isOwnLogistic = trees.Ensemble?.PostTransform == TreePostTransform.Logistic;
        var (calibration, note) = isLogOdds || isOwnLogistic
            ? (Calibration.Platt(1, 0), isOwnLogistic ? "the model's own logistic function" : "the model gives log-odds, as was stated at import")
            : (Calibration.Identity, "the model gives probabilities; they are taken as they are");
        var rows = SmokeRows(model.FeatureCount, trees.Ensemble);
        var component = new ComponentManifest { Calibration = calibration.ToManifest(note) };
        string file = trees.Ensemble is null ? PackageFiles.Network : PackageFiles.Trees;
        var manifest = PackageAssembly.Manifest(facts, key) with
        {
            Producer = $"{model.Model.ProducerName} {model.Model.ProducerVersion}".Trim(),
            Trees = trees.Ensemble is null ? null : component,
            Network = trees.Ensemble is null ? component : null,
            Thresholds = thresholds,
        };
        var smoke = new SmokeVectors
        {
            Reference = "ONNX Runtime",
            Rows = rows,
            Probabilities = Reference(path, reference, rows, isLogOdds && !isOwnLogistic),
        };
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [file] = model.ToBytes(), [PackageFiles.Smoke] = PackageJson.Write(smoke) };
        return PackageWriter.Write(manifest, files, key);
    }

    private static double[] Reference(string path, NeuralNetwork reference, IReadOnlyList<float[]> rows, bool isLogOdds)
    {
        var outputs = new double[rows.Count];
        reference.Score([.. rows.SelectMany(row => row)], rows.Count, outputs);
        for (int row = 0; row < outputs.Length; row++)
        {
            double output = outputs[row];
            outputs[row] = isLogOdds ? Logistic.Probability(output) : output;
            if (!(outputs[row] >= 0 && outputs[row] <= 1))
            {
                throw new TrainerException(ExitCode.Data, FormattableString.Invariant($"{path}: output {reference.ScoreOutput} is {output} for a trial row, which is no probability; if the model gives log-odds, say --log-odds"));
            }
        }

        return outputs;
    }

    // Without data: rows beside the trees' own thresholds, on them, and missing; ordinary numbers for networks, which know no missing value.
    private static IReadOnlyList<float[]> SmokeRows(int featureCount, TreeEnsemble? trees)
    {
        var random = new Random(SmokeSeed);
        var thresholds = new List<float>[featureCount];
        for (int feature = 0; feature < featureCount; feature++)
        {
            thresholds[feature] = [];
        }

        if (trees is not null)
        {
            var nodes = trees.Nodes;
            for (int node = 0; node < nodes.NodeCount; node++)
            {
                if (nodes.Modes.Span[node] != TreeNodeMode.Leaf)
                {
                    thresholds[nodes.Features.Span[node]].Add(nodes.Thresholds.Span[node]);
                }
            }
        }

        return [.. Enumerable.Range(0, PackageAssembly.SmokeRows).Select(_ => thresholds.Select(Value).ToArray())];

        float Value(List<float> near)
        {
            if (near.Count == 0)
            {
                return (float)((random.NextDouble() * 4) - 2);
            }

            float threshold = near[random.Next(near.Count)];
            return random.Next(8) switch
            {
                0 => float.NaN,
                1 => threshold,
                2 => MathF.BitIncrement(threshold),
                _ => threshold + (float)((random.NextDouble() - 0.5) * Math.Max(1, Math.Abs(threshold))),
            };
        }
    }
}
