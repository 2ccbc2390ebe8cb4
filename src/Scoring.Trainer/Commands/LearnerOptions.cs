using System.CommandLine;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary>Options of <see cref="LearnerSettings"/>.</summary>
internal sealed class LearnerOptions
{
    private static readonly LearnerSettings Default = new();

    private readonly Option<int> seed = CommonOptions.Count("--seed", "seed of everything random", Default.Seed, 0, int.MaxValue - 100);
    private readonly Option<int> trees = CommonOptions.Count("--trees", "trees of a member", Default.Trees, 1, 5_000);
    private readonly Option<int> leaves = CommonOptions.Count("--leaves", "most leaves of a tree", Default.Leaves, 2, 64);
    private readonly Option<double> learningRate = CommonOptions.Share("--learning-rate", "share of each tree's answer that is added", Default.LearningRate);
    private readonly Option<int> rowsPerLeaf = CommonOptions.Count("--rows-per-leaf", "fewest rows in a leaf", Default.RowsPerLeaf, 1, 100_000);
    private readonly Option<double> featureShare = CommonOptions.Share("--feature-share", "share of the features that a split may look at", Default.FeatureShare);
    private readonly Option<int> members = CommonOptions.Count("--members", "ensembles grown from different seeds and averaged", Default.Members, 1, 100);
    private readonly Option<int> bins = CommonOptions.Count("--bins", "most bins of a feature", Default.Bins, 2, 1_000_000);

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { seed, trees, leaves, learningRate, rowsPerLeaf, featureShare, members, bins })
        {
            command.Add(option);
        }
    }

    public LearnerSettings Read(ParseResult parsed) => new()
    {
        Seed = parsed.GetValue(seed),
        Trees = parsed.GetValue(trees),
        Leaves = parsed.GetValue(leaves),
        LearningRate = parsed.GetValue(learningRate),
        RowsPerLeaf = parsed.GetValue(rowsPerLeaf),
        FeatureShare = parsed.GetValue(featureShare),
        Members = parsed.GetValue(members),
        Bins = parsed.GetValue(bins),
    };
}
