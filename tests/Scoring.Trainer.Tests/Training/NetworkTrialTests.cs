using Scoring.Models.Ensembles;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Tests.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.Training;

/// <summary>Whether a network is taken: on a problem it is needed for, on one where it adds nothing, and where there is too little to tell.</summary>
public sealed class NetworkTrialTests
{
    private const long Hour = 3_600_000;

    private static readonly TrainingPlan Plan = new()
    {
        Training = new(0, 100 * Hour),
        Calibration = new(100 * Hour, 200 * Hour),
        LabelDelayMs = 0,
        RemoveCompromised = false,
        Learner = new() { Leaves = 2, Trees = 60, Bins = 255, FeatureShare = 1, RowsPerLeaf = 50 },
        NetworkChoice = NetworkChoice.Auto,
        Network = new() { Hidden = [16, 8], BatchRows = 256, LearningRate = 0.01, EpochsMax = 30 },
    };

    [Fact]
    public void What_stumps_cannot_see_brings_the_network_in()
    {
        var model = Run(Problems.Table(12_000, 3, Problems.SameSign), Plan);

        Assert.True(model.Trial!.IsTaken, model.Trial.Reason);
        Assert.InRange(model.Trial.Gains!.AveragePrecision.LowerBound, 0.1, 1);
        Assert.InRange(model.Stacked!.Blend.NetworkWeight, 0.5, 2);
        Assert.InRange(model.Report.AreaUnderRoc, 0.85, 0.95);
        Assert.Equal(model.Network!.Epochs, model.Facts.Settings["network_epochs"]);
    }

    [Fact]
    public void Where_trees_say_all_there_is_to_say_the_network_stays_out()
    {
        // A step: what trees are made for.
        var model = Run(Problems.Table(12_000, 3, (features, random) => random.NextDouble() < (features[0] > 0.6 ? 0.5 : 0.02)), Plan);

        Assert.False(model.Trial!.IsTaken, model.Trial.Reason);
        Assert.Null(model.Network);
        Assert.Contains("more than chance", model.Trial.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("network_epochs", model.Facts.Settings.Keys);
    }

    [Fact]
    public void With_too_few_frauds_trees_go_alone_and_say_so_but_who_asks_for_a_network_is_refused()
    {
        int row = 0;
        var table = Problems.Table(12_000, 3, (_, _) => row++ % 1_000 == 0);

        var model = Run(table, Plan);
        var refused = Assert.Throws<TrainerException>(() => Run(table, Plan with { NetworkChoice = NetworkChoice.On }));

        Assert.Contains("6 of 6000 transactions are frauds", model.Trial!.Reason, StringComparison.Ordinal);
        Assert.Equal(model.Trial.Reason, refused.Message);
        Assert.Null(model.Network);
    }

    [Fact]
    public void Without_later_rows_a_twin_stands_the_trial_and_the_live_network_is_trained_on_the_latest()
    {
        var table = Problems.Table(12_000, 3, Problems.SameSign);
        var model = Run(table, Plan with { Training = new(100 * Hour, 200 * Hour), Calibration = null });
        var latest = NetworkLearner.Train(table, table.Labelled(new(100 * Hour, 200 * Hour)), Plan.Network, (_, _) => { }, CancellationToken.None);

        Assert.True(model.Trial!.IsTaken, model.Trial.Reason);
        Assert.Equal(latest.Model.ToBytes(), model.Network!.Model.ToBytes());
    }

    [Fact]
    public void Switched_off_nothing_is_tried_and_the_trees_are_the_same()
    {
        var table = Problems.Table(12_000, 3, Problems.SameSign);
        var without = Run(table, Plan with { NetworkChoice = NetworkChoice.Off });
        var with = Run(table, Plan);

        Assert.Null(without.Trial);
        Assert.Equal(without.Trees.Thresholds.ToArray(), with.Trees.Thresholds.ToArray());
        Assert.Equal((without.Calibration.Slope, without.Calibration.Intercept), (with.Calibration.Slope, with.Calibration.Intercept));
    }

    [Fact]
    public void Noise_beside_good_trees_stays_out()
    {
        var table = Problems.Table(6_000, 2, (_, random) => random.Next(20) == 0);
        var random = new Random(4);
        bool[] isFraud = Problems.Outcomes(table);
        double[] trees = [.. isFraud.Select(fraud => (fraud ? 2 : 0) + (3 * random.NextDouble()))];
        double[] noise = [.. isFraud.Select(_ => random.NextDouble())];

        var trial = NetworkTrial.Judge(table, Problems.AllRows(table), trees, noise, CalibrationKind.Platt, seed: 1);

        Assert.False(trial.IsTaken, trial.Reason);
    }

    private static TrainedModel Run(FeatureTable table, TrainingPlan plan) => TrainingRun.Run(table, plan, (_, _) => { }, CancellationToken.None);
}
