using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Training;

/// <summary>Grows, calibrates and judges a model.</summary>
internal static class TrainingRun
{
    /// <summary>Runs a plan.</summary>
    /// <param name="table">Feature vectors of at least <see cref="TrainingPlan.Needed"/>.</param>
    /// <param name="plan">What to do.</param>
    /// <param name="progress">Told what is done, share from 0 to 1.</param>
    /// <param name="cancellation">Ends a network's training.</param>
    /// <exception cref="TrainerException">A window holds too little to learn from, or a network that was asked for cannot be had.</exception>
    public static TrainedModel Run(FeatureTable table, TrainingPlan plan, Action<string, double> progress, CancellationToken cancellation)
    {
        // 1. The trees, on the whole training window.
        var rows = Labelled(table, plan.Training, "training");
        var trees = TreeLearner.Grow(table, rows, plan.Learner, share => progress("growing trees", share));

        // 2. Scores on rows that their trees have not learnt from, as the field will see them.
        var (judge, judged, knownFromMs) = plan.Calibration is { } later
            ? (trees, later, plan.Training.FromMs)
            : (Twin(table, plan, progress), plan.Training, plan.TwinTraining.FromMs);
        var calibrationRows = Labelled(table, judged, "calibration");
        if (plan.RemoveCompromised)
        {
            calibrationRows = CompromisedAccounts.Remove(table, calibrationRows, knownFromMs, plan.LabelDelayMs);
        }

        var margins = Margins(judge, table, calibrationRows);
        bool[] isFraud = [.. calibrationRows.Select(row => table.Label(row) == 1)];
        RequireBoth(isFraud.Count(fraud => fraud), isFraud.Length, judged, "calibration");

        // 3. Margins to probabilities; a network beside the trees, where it helps; thresholds, figures.
        var calibration = CalibrationFit.Fit(plan.CalibrationKind, margins, isFraud);
        var beside = Beside(table, plan, rows, calibrationRows, margins, calibration, isFraud, progress, cancellation);
        var scored = Scored(table, calibrationRows, beside.Probabilities);
        var facts = new TrainingFacts
        {
            From = DateTimeOffset.FromUnixTimeMilliseconds(plan.Training.FromMs),
            To = DateTimeOffset.FromUnixTimeMilliseconds(plan.Training.ToMs),
            Rows = rows.Count,
            Frauds = rows.Count(row => table.Label(row) == 1),
            Seed = plan.Learner.Seed,
            Settings = beside.Network is { } network
                ? plan.Learner.Named.Concat(plan.Network.Named).Append(new("network_epochs", network.Epochs)).ToDictionary(StringComparer.Ordinal)
                : plan.Learner.Named,
            Calibration = new()
            {
                Method = plan.Calibration is null ? "shifted" : "later",
                From = DateTimeOffset.FromUnixTimeMilliseconds(judged.FromMs),
                To = DateTimeOffset.FromUnixTimeMilliseconds(judged.ToMs),
                Rows = calibrationRows.Count,
                Frauds = isFraud.Count(fraud => fraud),
                WithoutCompromisedAccounts = plan.RemoveCompromised,
            },
        };
        var thresholds = ThresholdChoice.Choose(scored, plan.ReviewsPerDay, plan.DeclinePrecision);
        return new(trees, calibration, thresholds, facts, EvaluationReport.Of(scored)) { Network = beside.Network, Stacked = beside.Stacked, Trial = beside.Trial };
    }

    /// <summary>Margins of rows, one each.</summary>
    public static double[] Margins(TreeNodes trees, FeatureTable table, IReadOnlyList<int> rows)
    {
        var engine = TreeEnsemble.Compile(trees);
        return [.. rows.Select(row => engine.ScoreOne(table.Features(row)))];
    }

    /// <summary>Rows of a table with their scores.</summary>
    public static ScoredRows Scored(FeatureTable table, IReadOnlyList<int> rows, double[] scores) => new()
    {
        TimesMs = [.. rows.Select(table.TimeMs)],
        Accounts = [.. rows.Select(table.Account)],
        IsFraud = [.. rows.Select(row => table.Label(row) == 1)],
        Scores = scores,
    };

    // The network meets the same test as the trees: scores on rows it has not learnt from, by itself or by a twin that is as much older.
    private static NetworkBeside Beside(
        FeatureTable table, TrainingPlan plan, List<int> rows, List<int> calibrationRows, double[] margins, Calibration calibration, bool[] isFraud, Action<string, double> progress, CancellationToken cancellation)
    {
        double[] alone = Array.ConvertAll(margins, calibration.Probability);
        if (plan.NetworkChoice == NetworkChoice.Off)
        {
            return new(null, null, null, alone);
        }

        TrainedNetwork judge;
        NetworkTrial trial;
        double[] logOdds;
        try
        {
            var learnt = plan.Calibration is null ? Labelled(table, plan.TwinTraining, "network's twin") : rows;
            judge = NetworkLearner.Train(table, learnt, plan.Network, progress, cancellation);
            logOdds = judge.LogOdds([.. calibrationRows.Select(table.Features)]);
            trial = NetworkTrial.Judge(table, calibrationRows, margins, logOdds, plan.CalibrationKind, plan.Learner.Seed);
            if (plan.NetworkChoice == NetworkChoice.On)
            {
                trial = trial with { IsTaken = true, Reason = $"taken because it was asked for; {trial.Reason}" };
            }

            if (!trial.IsTaken)
            {
                return new(null, null, trial, alone);
            }

            var live = plan.Calibration is null ? NetworkLearner.Train(table, rows, plan.Network, progress, cancellation) : judge;
            var stacked = StackedNetwork.Fit(plan.CalibrationKind, calibration, margins, logOdds, isFraud);
            return new(live, stacked, trial, [.. margins.Zip(logOdds, (margin, network) => stacked.Probability(calibration, margin, network))]);
        }
        catch (TrainerException refused) when (plan.NetworkChoice == NetworkChoice.Auto && refused.ExitCode == ExitCode.Data)
        {
            return new(null, null, new(IsTaken: false, refused.Message), alone);
        }
    }

    private static TreeNodes Twin(FeatureTable table, TrainingPlan plan, Action<string, double> progress) =>
        TreeLearner.Grow(
            table,
            Labelled(table, plan.TwinTraining, "calibration's twin (give --calibrate-from and --calibrate-to where the history is too short for one)"),
            plan.Learner,
            share => progress("growing the calibration's twin", share));

    private static List<int> Labelled(FeatureTable table, TimeWindow window, string name)
    {
        var rows = table.Labelled(window);
        RequireBoth(rows.Count(row => table.Label(row) == 1), rows.Count, window, name);
        return rows;
    }

    private static void RequireBoth(int frauds, int rowCount, TimeWindow window, string name)
    {
        if (frauds == 0 || frauds == rowCount)
        {
            throw new TrainerException(ExitCode.Data, $"the window of the {name}, {window}, has {rowCount} labelled transactions, {frauds} of them frauds; both kinds are needed: choose a longer one, or one whose labels have come");
        }
    }

    private sealed record NetworkBeside(TrainedNetwork? Network, StackedNetwork? Stacked, NetworkTrial? Trial, double[] Probabilities);
}
