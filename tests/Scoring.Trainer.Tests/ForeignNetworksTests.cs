using System.Globalization;
using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Models.Tests;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests;

/// <summary>Networks of other libraries, packed, verified and scored as a worker does, against what ONNX Runtime answered on the files.</summary>
public sealed class ForeignNetworksTests
{
    [Theory]
    [InlineData("pytorch_attention_32x8", 1e-6)]
    [InlineData("pytorch_autoencoder", 1e-6)] // log-odds, as far as the package is concerned
    [InlineData("pytorch_gru_32x8", 1e-6)]
    [InlineData("pytorch_mlp_256_128", 1e-6)]
    [InlineData("pytorch_mlp_float16", 1e-6)]
    [InlineData("pytorch_mlp_int8_static", 2e-3)] // depends on the processor's instructions
    [InlineData("pytorch_residual_layernorm", 1e-6)]
    [InlineData("sklearn_scaler_logistic", 1e-6)]
    public void A_package_answers_what_the_file_says(string model, double tolerance)
    {
        string path = RepositoryFiles.Shared($"data/onnx/{model}.onnx");
        float[][] rows = Read(model, "input", line => Array.ConvertAll(line.Split(','), cell => float.Parse(cell, CultureInfo.InvariantCulture)));
        bool isLogOdds = model.EndsWith("autoencoder", StringComparison.Ordinal);
        int column = model.StartsWith("sklearn", StringComparison.Ordinal) ? 2 : 0; // behind label and the probability of 0
        double[] expected = Read(model, "expected", line => double.Parse(line.Split(',')[column], CultureInfo.InvariantCulture));
        using var key = PackageKey.Create();
        var facts = new PackageAssembly.Facts
        {
            Name = model,
            Version = "1",
            Service = "any",
            PlanDigest = "any",
            Features = [.. Enumerable.Range(0, rows[0].Length).Select(i => string.Create(CultureInfo.InvariantCulture, $"f{i}"))],
        };

        byte[] package = ForeignModel.Pack(path, facts, new(0.5, 0.9, "test"), isLogOdds, key);
        var reading = PackageVerifier.Verify(package, new VerificationPolicy { AcceptedKeys = [key] });

        Assert.True(reading.Refusal is null, reading.Refusal?.Sentence);
        using var ensemble = reading.Ensemble!;
        double[] probabilities = Score(ensemble, rows);
        for (int row = 0; row < rows.Length; row++)
        {
            // Rows with 3e38 in them overflow in some networks: the file answers NaN, and so does the package.
            double due = isLogOdds ? Logistic.Probability(expected[row]) : expected[row];
            Assert.True(Math.Abs(due - probabilities[row]) <= tolerance || (double.IsNaN(due) && double.IsNaN(probabilities[row])), $"row {row}: {probabilities[row]:R} where {due:R} is due");
        }
    }

    private static double[] Score(Ensemble ensemble, float[][] rows)
    {
        var block = new FeatureBlock(ensemble.FeatureCount, rows.Length);
        for (int row = 0; row < rows.Length; row++)
        {
            for (int feature = 0; feature < rows[row].Length; feature++)
            {
                block.Set(row, feature, rows[row][feature]);
            }
        }

        var scores = new EnsembleScores(rows.Length);
        ensemble.Score(block, rows.Length, scores);
        return scores.Probability[..rows.Length];
    }

    private static T[] Read<T>(string model, string kind, Func<string, T> read) =>
        [.. File.ReadAllLines(RepositoryFiles.Shared($"data/onnx/{model}.{kind}.csv")).Skip(1).Select(read)];
}
