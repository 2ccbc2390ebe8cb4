using Microsoft.ML;
using Scoring.Benchmarks.Measuring;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Features;

namespace Scoring.Benchmarks.Trees;

/// <summary>Our tree engine against ML.NET's PredictionEngine and ONNX Runtime on the same trees and the same rows, all on one thread.</summary>
/// <remarks>
/// 8,192 rows in turn: over 64 rows or fewer the branch predictor learns the paths, and the walking rivals look three times faster than
/// they are. ONNX Runtime gets what suits it best: one thread, buffers of exactly the batch's size, bound once.
/// </remarks>
internal sealed class TreeRatios : IDisposable
{
    private const int RowCount = 8_192;
    private const int FeatureCount = ScoredRow.FeatureCount;

    private readonly ScoredRow[] rows = TrainedTrees.MakeRows(RowCount, seed: 3);
    private readonly float[] rowMajor = new float[RowCount * FeatureCount];
    private readonly FeatureBlock block = new(FeatureCount, RowCount);
    private readonly double[] margins = new double[RowCount];
    private readonly ScoredMargin answer = new();
    private readonly double[] moves = new double[FeatureCount];
    private readonly TreeEnsemble ensemble;
    private readonly TreeContributions contributions;
    private readonly PredictionEngine<ScoredRow, ScoredMargin> predictionEngine;
    private readonly NeuralNetworkSession session;
    private double sum;

    private TreeRatios()
    {
        for (int row = 0; row < RowCount; row++)
        {
            rows[row].Features.CopyTo(rowMajor, row * FeatureCount);
            for (int feature = 0; feature < FeatureCount; feature++)
            {
                block.Set(row, feature, rows[row].Features[feature]);
            }
        }

        var trained = new TrainedTrees();
        ensemble = TreeEnsemble.Compile(trained.Nodes);
        contributions = new TreeContributions(ensemble);
        predictionEngine = trained.PredictionEngine();
        var file = OnnxCheck.Check(OnnxWriter.Write(OnnxTrees.Write(trained.Nodes)), out var faults)
            ?? throw new InvalidOperationException(string.Join('\n', faults));
        session = NeuralNetworkSession.Open(file, scoreColumn: null, ExecutionProvider.Cpu, out string reason) ?? throw new InvalidOperationException(reason);
    }

    /// <summary>Runs the contests.</summary>
    public static IEnumerable<Ratio> Run(Pace pace)
    {
        using var inputs = new TreeRatios();
        inputs.CheckAgreement();
        foreach (int batchRows in (int[])[1, 16, 256])
        {
            var ours = new Side("TreeEnsemble", batchRows == 1 ? inputs.ScoreOne : inputs.ScoreBlocks);
            string name = FormattableString.Invariant($"trees 200x31, {batchRows} row{(batchRows == 1 ? "" : "s")}");
            yield return Contest.Run(
                $"{name}, ML.NET", ours, new Side("PredictionEngine", inputs.Predict), RatioOf.Speed, batchRows == 1 ? ">= 2" : ">= 12", pace);
            using var bucket = new NeuralNetworkBucket(inputs.session, batchRows);
            yield return Contest.Run(
                $"{name}, ORT", ours, new Side("ONNX Runtime", () => inputs.RunOnnx(bucket)), RatioOf.Speed, batchRows == 1 ? "" : ">= 8", pace);
        }

        yield return Contest.Run(
            "trees 200x31, one row explained", new Side("TreeContributions", inputs.Explain), new Side("its score by PredictionEngine", inputs.Predict), RatioOf.Time, "", pace);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        predictionEngine.Dispose();
        session.Release();
    }

    // Three engines that disagree have not done the same work.
    private void CheckAgreement()
    {
        using var bucket = new NeuralNetworkBucket(session, 256);
        double[] onnx = new double[RowCount];
        RunOnnx(bucket);
        margins.CopyTo(onnx, 0);
        ScoreBlocks();
        ScoredMargin reused = answer;
        for (int row = 0; row < RowCount; row++)
        {
            predictionEngine.Predict(rows[row], ref reused);
            double one = ensemble.ScoreOne(rowMajor.AsSpan(row * FeatureCount, FeatureCount));
            double tolerance = 1e-4 * Math.Max(1, Math.Abs(one));
            if (Math.Abs(margins[row] - one) > 1e-9 || Math.Abs(answer.Score - one) > tolerance || Math.Abs(onnx[row] - one) > tolerance)
            {
                throw new InvalidOperationException(FormattableString.Invariant($"row {row}: ours {margins[row]} and {one}, ML.NET {answer.Score}, ONNX Runtime {onnx[row]}"));
            }
        }
    }

    private int ScoreOne()
    {
        for (int row = 0; row < RowCount; row++)
        {
            sum += ensemble.ScoreOne(rowMajor.AsSpan(row * FeatureCount, FeatureCount));
        }

        return RowCount;
    }

    private int Explain()
    {
        const int Explained = 512;
        for (int row = 0; row < Explained; row++)
        {
            contributions.Explain(rowMajor.AsSpan(row * FeatureCount, FeatureCount), moves);
            sum += moves[0];
        }

        return Explained;
    }

    private int ScoreBlocks()
    {
        for (int first = 0; first < RowCount; first += TreeEnsemble.BlockRows)
        {
            ensemble.Score(block.Block(first / TreeEnsemble.BlockRows), margins.AsSpan(first, TreeEnsemble.BlockRows));
        }

        return RowCount;
    }

    private int Predict()
    {
        ScoredMargin reused = answer;
        foreach (ScoredRow row in rows)
        {
            predictionEngine.Predict(row, ref reused);
            sum += reused.Score;
        }

        return RowCount;
    }

    private int RunOnnx(NeuralNetworkBucket bucket)
    {
        for (int first = 0; first < RowCount; first += bucket.RowCount)
        {
            bucket.Run(rowMajor.AsSpan(first * FeatureCount, bucket.RowCount * FeatureCount), margins.AsSpan(first, bucket.RowCount));
        }

        return RowCount;
    }
}
