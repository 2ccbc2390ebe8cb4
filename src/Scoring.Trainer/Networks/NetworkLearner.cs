using System.Globalization;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Networks;

/// <summary>Trains a network: how long on the last part of the rows, then for that long on all of them.</summary>
/// <remarks>One thread and a seed: on the same machine the same rows give the same bytes.</remarks>
internal static class NetworkLearner
{
    /// <summary>Fewest frauds: fewer tell neither where to stop nor what to learn.</summary>
    public const int FraudsMin = 8;

    // Of the frauds, in time order, these are learnt from while the others say when to stop.
    private const double LearntShare = 0.75;

    /// <summary>Trains.</summary>
    /// <param name="table">Feature vectors.</param>
    /// <param name="rows">Rows to learn from, in time order, each with a known truth.</param>
    /// <param name="settings">How.</param>
    /// <param name="progress">Told what is done, share from 0 to 1.</param>
    /// <param name="cancellation">Asked after every step.</param>
    /// <exception cref="TrainerException">There are too few frauds or honest rows to learn from and to stop by, or the device is not there.</exception>
    public static TrainedNetwork Train(FeatureTable table, IReadOnlyList<int> rows, NetworkSettings settings, Action<string, double> progress, CancellationToken cancellation)
    {
        // 1. How long: learn from the earlier rows, watch the later ones.
        int split = Split(table, rows);
        var watch = Fit(table, [.. rows.Take(split)], [.. rows.Skip(split)], settings, settings.EpochsMax, progress, cancellation);

        // 2. As long on all rows: the latest frauds are the most like tomorrow's.
        var final = Fit(table, rows, [], settings, watch.Epochs, progress, cancellation);
        var model = OnnxCheck.Check(NetworkGraphs.Published(final.Preparation, final.Shape, final.Parameters), out var faults)
            ?? throw new InvalidOperationException($"the trained network does not pass our own check: {string.Join("; ", faults)}");
        return new(model, watch.Epochs, watch.AveragePrecision);
    }

    private static int Split(FeatureTable table, IReadOnlyList<int> rows)
    {
        int frauds = rows.Count(row => table.Label(row) == 1);
        int split = frauds < FraudsMin ? -1 : TimeSplit.At(table, rows, LearntShare);
        return split >= 0 ? split : throw new TrainerException(
            ExitCode.Data,
            string.Create(CultureInfo.InvariantCulture, $"{frauds} of {rows.Count} transactions are frauds: a network needs at least {FraudsMin}, and both outcomes in the earlier and in the later part; choose a longer window, or train with --network off"));
    }

    private static Fitted Fit(
        FeatureTable table, IReadOnlyList<int> learnt, IReadOnlyList<int> watched, NetworkSettings settings, int epochs, Action<string, double> progress, CancellationToken cancellation)
    {
        string name = watched.Count > 0 ? "training the network" : "training the network on all rows";
        float[][] features = [.. learnt.Select(table.Features)];
        var preparation = InputPreparation.Fit(features);
        var rows = Prepare(table, preparation, learnt);
        var later = Prepare(table, preparation, watched);
        var shape = new NetworkShape(preparation.Width, settings.Hidden, settings.Activation);
        var random = new Random(settings.Seed);
        using var session = new TrainingSession(shape, settings);
        session.Start(shape.Initialise(random, BaseLogOdds(rows, settings)));

        int stepsPerEpoch = (rows.Count + settings.BatchRows - 1) / settings.BatchRows;
        var schedule = new LearningRateSchedule(settings.LearningRate, stepsPerEpoch, stepsPerEpoch * settings.EpochsMax);
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        var (best, bestEpochs) = (double.NegativeInfinity, epochs);
        int step = 0;
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            random.Shuffle(order);
            for (int start = 0; start < order.Length; start += settings.BatchRows)
            {
                cancellation.ThrowIfCancellationRequested();
                session.Fill(rows, order.AsSpan(start, Math.Min(settings.BatchRows, order.Length - start)), settings.FraudWeight);
                float loss = session.Step(schedule.At(step++));
                if (!float.IsFinite(loss))
                {
                    throw new InvalidOperationException($"epoch {epoch}: the loss is {loss}; prepared rows are finite and gradients are bounded, so this is a defect");
                }
            }

            if (watched.Count > 0)
            {
                double precision = Ranking.AveragePrecision(session.Score(later.Prepared, later.Count), later.IsFraud);
                if (precision > best)
                {
                    (best, bestEpochs) = (precision, epoch);
                }
                else if (epoch - bestEpochs >= settings.Patience)
                {
                    progress(name, 1);
                    break;
                }
            }

            progress(name, (double)epoch / epochs);
        }

        return new(preparation, shape, session.Read(), bestEpochs, best);
    }

    private static NetworkRows Prepare(FeatureTable table, InputPreparation preparation, IReadOnlyList<int> rows) =>
        NetworkRows.Prepare(preparation, [.. rows.Select(table.Features)], [.. rows.Select(row => table.Label(row) == 1)]);

    private static double BaseLogOdds(NetworkRows rows, NetworkSettings settings)
    {
        double frauds = rows.IsFraud.AsSpan().Count(true);
        return Math.Log(frauds * settings.FraudWeight / (rows.Count - frauds));
    }

    private sealed record Fitted(InputPreparation Preparation, NetworkShape Shape, float[] Parameters, int Epochs, double AveragePrecision);
}
