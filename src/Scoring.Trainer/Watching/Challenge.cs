using System.Globalization;
using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Watching;

/// <summary>Trains a challenger on what was known at one time and judges it beside the champion.</summary>
/// <remarks>
/// The challenger that is judged is the one that is published: it is not trained again on the days that judged it. The same records, champion
/// and settings give the same decision and the same package digest, however often the process died in between.
/// </remarks>
internal sealed class Challenge(ServiceDefinition definition, FeaturePlan plan, WatchSettings settings, PackageKey signer, IReadOnlyList<PackageKey> acceptedKeys)
{
    private readonly long labelDelayMs = (long)definition.Labels.Delay.TotalMilliseconds;

    /// <summary>Time after a transaction from which on its label counts.</summary>
    public TimeSpan LabelDelay => definition.Labels.Delay;

    /// <summary>A decision, with the package where the challenger is to be published.</summary>
    internal sealed record Result(WatchDecision Decision, byte[]? Package);

    /// <summary>Trains and judges.</summary>
    /// <param name="folder">The history; everything is sealed.</param>
    /// <param name="snapshotPath">A file that may be written, and is deleted.</param>
    /// <param name="point">The time that is looked at.</param>
    /// <param name="triggers">What asked for it.</param>
    /// <param name="champion">The champion; null when there is none.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async Task<Result> RunAsync(
        SegmentFolder folder, string snapshotPath, WatchPoint point, IReadOnlyList<string> triggers, OfferedPackage? champion, Action<string, double> progress, CancellationToken cancellation)
    {
        try
        {
            return await JudgeAsync(folder, snapshotPath, point, triggers, champion, progress, cancellation);
        }
        catch (TrainerException e) when (e.ExitCode == ExitCode.Data)
        {
            return new(NotJudged(point, triggers, champion, e.Message), null);
        }
        finally
        {
            File.Delete(snapshotPath);
        }
    }

    private async Task<Result> JudgeAsync(
        SegmentFolder folder, string snapshotPath, WatchPoint point, IReadOnlyList<string> triggers, OfferedPackage? champion, Action<string, double> progress, CancellationToken cancellation)
    {
        // 1. What was known then, and whether it reaches back far enough.
        var windows = ChallengeWindows.At(point.AtMs, settings, labelDelayMs);
        var training = new TrainingPlan
        {
            Training = windows.Training,
            LabelDelayMs = labelDelayMs,
            Learner = settings.Learner,
            NetworkChoice = settings.NetworkChoice,
            Network = settings.Network,
            ReviewsPerDay = settings.ReviewsPerDay,
            DeclinePrecision = settings.DeclinePrecision,
        };
        var known = new TimeWindow(point.AtMs - (long)settings.Retention.TotalMilliseconds, point.AtMs);
        if (folder.Of(SourceKind.Transactions) is { Count: > 0 } segments && segments.Min(segment => segment.FirstMs) is var firstMs && firstMs >= known.FromMs && firstMs > training.Needed.FromMs)
        {
            return new(TooShort(firstMs), null); // The same answer as below, without reading everything.
        }

        var snapshot = await HistorySnapshot.WriteAsync(folder, definition, plan.Schema, known, snapshotPath, cancellation);
        if (snapshot.FirstMs > training.Needed.FromMs)
        {
            return new(TooShort(snapshot.FirstMs), null);
        }

        WatchDecision TooShort(long beginMs) => NotJudged(
            point, triggers, champion, $"the history begins at {Day(beginMs)}; {Day(training.Needed.FromMs)} is needed to learn from {windows.Training}, calibrate, and judge on {windows.Judged}");

        // 2. The challenger.
        var table = await FeatureTables.ReadAsync(definition, plan, snapshotPath, new(training.Needed.FromMs, windows.Judged.ToMs), progress, cancellation);
        var challenger = TrainingRun.Run(table, training, progress, cancellation).With(definition.Policy);

        // 3. Both on the days behind, without the accounts that are blocked by then.
        var rows = CompromisedAccounts.Remove(table, table.Labelled(windows.Judged), windows.Training.FromMs, labelDelayMs);
        var reigning = ChampionScores(champion, table, rows);
        double[] scores = challenger.Probabilities([.. rows.Select(table.Features)]);
        var verdict = settings.Gate.Judge(TrainingRun.Scored(table, rows, scores), reigning, scores);
        var figures = verdict.Figures.Concat(Seen(snapshot)).ToDictionary(StringComparer.Ordinal);

        // 4. Its package: the lineage says what it replaces, by which rule, and on which figures.
        long sequence = (champion?.Package.Manifest.Sequence ?? 0) + 1;
        var facts = new PackageAssembly.Facts
        {
            Name = definition.Service,
            Version = point.At.ToString(point.At.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture),
            Service = definition.Service,
            PlanDigest = plan.Digest,
            Features = plan.FeatureNames,
            Sequence = sequence,
            PreviousSha256 = champion?.Package.Sha256,
            Promotion = new()
            {
                DecidedAt = point.At,
                Triggers = triggers,
                Rule = settings.Gate.Rule,
                Reason = verdict.Reason,
                JudgedFrom = DateTimeOffset.FromUnixTimeMilliseconds(windows.Judged.FromMs),
                JudgedTo = DateTimeOffset.FromUnixTimeMilliseconds(windows.Judged.ToMs),
                Figures = Finite(verdict.Figures),
            },
        };
        byte[] file = PackageAssembly.Sign(challenger, facts, PackageAssembly.Spread(table, table.Labelled(windows.Training)), signer);
        var decision = new WatchDecision
        {
            At = point.At,
            Triggers = triggers,
            Outcome = NameOf(verdict.Outcome),
            Reason = verdict.Reason,
            ChampionSha256 = champion?.Package.Sha256,
            ChallengerSha256 = Verified(file).Sha256,
            Sequence = sequence,
            Figures = Finite(figures),
        };
        return new(decision, verdict.Outcome == GateOutcome.Promoted ? file : null);
    }

    /// <summary>A package as a worker of this service would take it.</summary>
    /// <exception cref="InvalidOperationException">It is refused: what was just made must not be.</exception>
    public ModelPackage Verified(byte[] file)
    {
        var reading = PackageVerifier.Verify(file, Policy);
        if (reading.Refusal is { } refusal)
        {
            throw new InvalidOperationException($"the package that was just made is refused: {refusal.Code}: {refusal.Sentence}");
        }

        reading.Ensemble!.Dispose();
        return reading.Package!;
    }

    private VerificationPolicy Policy => new() { AcceptedKeys = acceptedKeys, Service = definition.Service, PlanDigest = plan.Digest, Limits = ModelsTopic.Limits };

    // Null where there is no champion, or one of other features: workers of this definition refuse it, so there is nothing to defend.
    private double[]? ChampionScores(OfferedPackage? champion, FeatureTable table, IReadOnlyList<int> rows)
    {
        if (champion is null)
        {
            return null;
        }

        var reading = PackageVerifier.Verify(champion.File, Policy);
        if (reading.Refusal is { } refusal)
        {
            return refusal.Code == PackageRefusalCode.PlanMismatch
                ? null
                : throw new TrainerException(ExitCode.Data, $"the champion {champion.Package.Sha256[..12]} cannot be judged: {refusal.Code.Wire()}: {refusal.Sentence}");
        }

        using var ensemble = reading.Ensemble!;
        return PackageScores.Of(ensemble, table, rows).Probabilities;
    }

    private static WatchDecision NotJudged(WatchPoint point, IReadOnlyList<string> triggers, OfferedPackage? champion, string reason) => new()
    {
        At = point.At,
        Triggers = triggers,
        Outcome = NameOf(GateOutcome.NotJudged),
        Reason = reason,
        ChampionSha256 = champion?.Package.Sha256,
    };

    // Without what was reported later: that depends on how far the topics were read by chance, and a decision must not.
    private static IEnumerable<KeyValuePair<string, double>> Seen(HistorySnapshot.Summary snapshot) =>
    [
        new("history_rows", snapshot.Rows),
        new("history_mature", snapshot.Mature),
        new("history_frauds", snapshot.Frauds),
        new("labels_late", snapshot.Late),
        .. (snapshot.Labels with { NotYetReported = 0 }).Named.Select(count => new KeyValuePair<string, double>("labels_" + count.Key, count.Value)),
    ];

    private static Dictionary<string, double> Finite(IEnumerable<KeyValuePair<string, double>> figures) =>
        figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary(StringComparer.Ordinal);

    private static string NameOf(GateOutcome outcome) => outcome switch { GateOutcome.Promoted => "promoted", GateOutcome.Kept => "kept", _ => "not_judged" };

    private static string Day(long timeMs) => DateTimeOffset.FromUnixTimeMilliseconds(timeMs).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
