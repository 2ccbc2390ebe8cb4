using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Scoring.Models.Ensembles;

namespace Scoring.Trainer.Training;

/// <summary>Grows gradient-boosted trees with ML.NET's FastTree and hands them over as our own table.</summary>
/// <remarks>
/// FastTree sends a missing value right, as our engine does, but skips rows that hold one when it learns. Rows are therefore learnt
/// with <see cref="float.MaxValue"/> in place of NaN: that goes right at every split too, so what is learnt is what is scored.
/// One thread and a seed: the same rows give the same trees.
/// </remarks>
internal static class TreeLearner
{
    /// <summary>How far our engine may be from ML.NET on the rows that were learnt, as a probability: ONNX keeps leaf weights as float32, ML.NET as double.</summary>
    public const double ParityTolerance = 1e-6;

    /// <summary>Grows an ensemble.</summary>
    /// <param name="table">Feature vectors.</param>
    /// <param name="rows">Rows to learn from, each with a known truth; both outcomes must occur.</param>
    /// <param name="settings">How to grow.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <exception cref="ArgumentException">There is only one outcome.</exception>
    /// <exception cref="InvalidOperationException">Our engine disagrees with ML.NET: a defect that must not reach a package.</exception>
    public static TreeNodes Grow(FeatureTable table, IReadOnlyList<int> rows, LearnerSettings settings, Action<double> progress)
    {
        int frauds = rows.Count(row => table.Label(row) == 1);
        if (frauds == 0 || frauds == rows.Count)
        {
            throw new ArgumentException($"{frauds} of {rows.Count} rows are frauds: learning needs both", nameof(rows));
        }

        var learnt = new LearntRow[rows.Count];
        for (int i = 0; i < learnt.Length; i++)
        {
            learnt[i] = new LearntRow { Label = table.Label(rows[i]) == 1, Features = Present(table.Features(rows[i])) };
        }

        var context = new MLContext(settings.Seed);
        var schema = SchemaDefinition.Create(typeof(LearntRow));
        schema[nameof(LearntRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, table.FeatureCount);
        var data = context.Data.LoadFromEnumerable(learnt, schema);
        var members = new List<TreeEnsembleModelParametersBasedOnRegressionTree>();
        var margins = new double[rows.Count];
        for (int member = 0; member < settings.Members; member++)
        {
            var model = context.BinaryClassification.Trainers.FastTree(Options(settings, settings.Seed + member)).Fit(data);
            members.Add(model.Model.SubModel);
            int row = 0;
            foreach (float score in model.Transform(data).GetColumn<float>("Score"))
            {
                margins[row++] += score / settings.Members;
            }

            progress((member + 1.0) / settings.Members);
        }

        var nodes = FastTreeConversion.ToNodes(members, table.FeatureCount, [.. learnt.Select(row => row.Features)]);
        CheckParity(nodes, table, rows, margins);
        return nodes;
    }

    private static FastTreeBinaryTrainer.Options Options(LearnerSettings settings, int seed) => new()
    {
        NumberOfTrees = settings.Trees,
        NumberOfLeaves = settings.Leaves,
        LearningRate = settings.LearningRate,
        MinimumExampleCountPerLeaf = settings.RowsPerLeaf,
        FeatureFractionPerSplit = settings.FeatureShare,
        MaximumBinCountPerFeature = settings.Bins,
        NumberOfThreads = 1,
        Seed = seed,
        FeatureSelectionSeed = seed,
    };

    private static float[] Present(float[] features)
    {
        var present = (float[])features.Clone();
        foreach (ref float value in present.AsSpan())
        {
            value = float.IsNaN(value) ? float.MaxValue : Math.Clamp(value, float.MinValue, float.MaxValue);
        }

        return present;
    }

    // On the rows as they are scored, with NaN in them: the check also covers the replacement above.
    private static void CheckParity(TreeNodes nodes, FeatureTable table, IReadOnlyList<int> rows, double[] expected)
    {
        var engine = TreeEnsemble.Compile(nodes);
        for (int i = 0; i < rows.Count; i++)
        {
            double margin = engine.ScoreOne(table.Features(rows[i]));
            if (!(Math.Abs(Logistic.Probability(margin) - Logistic.Probability(expected[i])) <= ParityTolerance))
            {
                throw new InvalidOperationException($"row {i}: our engine gives {margin}, ML.NET {expected[i]}");
            }
        }
    }

    private sealed class LearntRow
    {
        public bool Label { get; init; }

        public float[] Features { get; init; } = [];
    }
}
