using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Watching;

/// <summary>How far the last day's traffic is from the days that the champion was judged on, feature by feature and in its score. Needs no labels.</summary>
internal sealed class DriftCheck(ServiceDefinition definition, FeaturePlan plan, WatchSettings settings, IReadOnlyList<PackageKey> acceptedKeys)
{
    /// <summary>Name of the score among the features.</summary>
    public const string Score = "score";

    /// <summary>Index by feature name; empty where there is no champion that this trainer put forward, or its days are not kept any more.</summary>
    /// <param name="folder">The history; everything is sealed.</param>
    /// <param name="snapshotPath">A file that may be written, and is deleted.</param>
    /// <param name="point">The end of the last day.</param>
    /// <param name="champion">The champion; null when there is none.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async Task<IReadOnlyDictionary<string, double>> RunAsync(SegmentFolder folder, string snapshotPath, WatchPoint point, OfferedPackage? champion, CancellationToken cancellation)
    {
        var none = new Dictionary<string, double>(StringComparer.Ordinal);
        if (champion?.Package.Manifest is not { Promotion: { } promotion } manifest || !string.Equals(manifest.PlanDigest, plan.Digest, StringComparison.Ordinal))
        {
            return none;
        }

        var then = new TimeWindow(promotion.JudgedFrom.ToUnixTimeMilliseconds(), promotion.JudgedTo.ToUnixTimeMilliseconds());
        var now = new TimeWindow(point.AtMs - ScoredRows.DayMs, point.AtMs);
        var policy = new VerificationPolicy { AcceptedKeys = acceptedKeys, Service = definition.Service, PlanDigest = plan.Digest, Limits = ModelsTopic.Limits };
        if (now.FromMs < then.ToMs || PackageVerifier.Verify(champion.File, policy).Ensemble is not { } ensemble)
        {
            return none;
        }

        using (ensemble)
        {
            try
            {
                var known = new TimeWindow(point.AtMs - (long)settings.Retention.TotalMilliseconds, point.AtMs);
                await HistorySnapshot.WriteAsync(folder, definition, plan.Schema, known, snapshotPath, cancellation);
                var table = await FeatureTables.ReadAsync(definition, plan, snapshotPath, new(then.FromMs, now.ToMs), (_, _) => { }, cancellation);
                int[] before = [.. Enumerable.Range(0, table.Count).Where(row => then.Contains(table.TimeMs(row)))];
                int[] after = [.. Enumerable.Range(0, table.Count).Where(row => now.Contains(table.TimeMs(row)))];
                var found = new Dictionary<string, double>(StringComparer.Ordinal)
                {
                    [Score] = PopulationStability.Index(PackageScores.Of(ensemble, table, before).Probabilities, PackageScores.Of(ensemble, table, after).Probabilities),
                };
                for (int feature = 0; feature < plan.FeatureCount; feature++)
                {
                    found[plan.FeatureNames[feature]] = PopulationStability.Index(Values(table, before, feature), Values(table, after, feature));
                }

                return found;
            }
            catch (TrainerException e) when (e.ExitCode == ExitCode.Data)
            {
                return none; // Nothing is recorded of these days.
            }
            finally
            {
                File.Delete(snapshotPath);
            }
        }
    }

    private static double[] Values(FeatureTable table, int[] rows, int feature) => [.. rows.Select(row => (double)table.Features(row)[feature])];
}
