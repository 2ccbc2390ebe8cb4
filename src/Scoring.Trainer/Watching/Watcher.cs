using System.Globalization;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Labels;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>Decides, time by time, whether to train, and whether what was trained replaces the champion. Killed at any moment, it goes on where it was.</summary>
/// <remarks>
/// 1. Train and judge. 2. A challenger that is better goes to the disk: its package, then the decision to publish it. 3. It is published; the
/// same package is published once, however often this is tried. 4. The decision is told. 5. The time is done with. A process that died before
/// 2 was over does 1 again, with the same result; one that died after it goes on at 3.
/// </remarks>
internal sealed class Watcher
{
    private readonly WatchSettings settings;
    private readonly RetrainingSchedule schedule;
    private readonly Challenge challenge;
    private readonly DriftCheck drift;
    private readonly SegmentFolder history;
    private readonly HistoryRecorder recorder;
    private readonly WatchFolder folder;
    private readonly IModelChannel channel;
    private readonly TrainerMetrics metrics;
    private readonly TimeProvider clock;
    private readonly Action<string> log;
    private readonly Action<WatchStep> onStep;
    private WatchState state;

    /// <summary>Goes on where the folder says.</summary>
    /// <param name="settings">When to train, on what.</param>
    /// <param name="challenge">Trains and judges.</param>
    /// <param name="drift">Looks whether the traffic has moved.</param>
    /// <param name="history">The recorded history.</param>
    /// <param name="recorder">Its recorder.</param>
    /// <param name="folder">Where state, packages and decisions are kept.</param>
    /// <param name="channel">Where the champion comes from.</param>
    /// <param name="metrics">Shows decisions.</param>
    /// <param name="clock">Measures how long things take.</param>
    /// <param name="log">Takes a line for each decision.</param>
    /// <param name="onStep">Told of each <see cref="WatchStep"/>; an exception from it ends the work there as a kill would.</param>
    public Watcher(
        WatchSettings settings,
        Challenge challenge,
        DriftCheck drift,
        SegmentFolder history,
        HistoryRecorder recorder,
        WatchFolder folder,
        IModelChannel channel,
        TrainerMetrics metrics,
        TimeProvider clock,
        Action<string> log,
        Action<WatchStep>? onStep = null)
    {
        (this.settings, this.challenge, this.drift, this.history, this.recorder) = (settings, challenge, drift, history, recorder);
        (this.folder, this.channel, this.metrics, this.clock, this.log, this.onStep) = (folder, channel, metrics, clock, log, onStep ?? (_ => { }));
        schedule = new RetrainingSchedule(settings);
        state = folder.ReadState();
        metrics.Show(state);
    }

    /// <summary>Event time before which nothing is needed any more, ms since 1970 UTC; null before the first event. A trainer that waits, or has to catch up, keeps at most twice the retention.</summary>
    public long? NeededFromMs
    {
        get
        {
            long retentionMs = (long)settings.Retention.TotalMilliseconds;
            return (state.DoneUntil?.ToUnixTimeMilliseconds(), recorder.LastEventMs) switch
            {
                (_, null) => null,
                (null, { } last) => last - (2 * retentionMs),
                ({ } done, { } last) => Math.Max(done - retentionMs, last - (2 * retentionMs)),
            };
        }
    }

    /// <summary>When the next decision is due, ms since 1970 UTC: behind the time that it looks at, as long as things may settle; null where there is no such time.</summary>
    public long? DueAtMs => (state.Pending?.At.ToUnixTimeMilliseconds() ?? Next()?.AtMs) + (long)settings.Settle.TotalMilliseconds;

    /// <summary>Whether there is a time to decide on.</summary>
    /// <param name="clockMs">The trainer's clock: latest event or wall clock, ms since 1970 UTC.</param>
    public bool IsDue(long clockMs) => state.Pending is not null || Next() is { } point && point.AtMs + (long)settings.Settle.TotalMilliseconds <= clockMs;

    /// <summary>Decides on every time that is due. Everything of before must be recorded and sealed.</summary>
    /// <exception cref="TrainerException">The channel cannot be reached; the next call goes on from there.</exception>
    public async Task AdvanceAsync(long clockMs, CancellationToken cancellation)
    {
        while (IsDue(clockMs))
        {
            cancellation.ThrowIfCancellationRequested();
            if (state.Pending is { } pending)
            {
                Publish(pending, TimeSpan.Zero);
            }
            else
            {
                await DecideAsync(Next()!, cancellation);
            }
        }
    }

    private WatchPoint? Next() => (state.DoneUntil?.ToUnixTimeMilliseconds() ?? recorder.FirstEventMs) is { } fromMs ? schedule.After(fromMs) : null;

    private async Task DecideAsync(WatchPoint point, CancellationToken cancellation)
    {
        var triggers = await TriggersAsync(point, cancellation);
        if (triggers.Count == 0)
        {
            Save(state with { DoneUntil = point.At });
            return;
        }

        long startedAt = clock.GetTimestamp();
        var champion = channel.Champion();
        if (champion?.Package.Manifest.Promotion?.DecidedAt >= point.At)
        {
            // Another trainer of this channel has been here, before it left or this one lost its folder.
            log($"{Time(point.At)}: the champion {champion.Package.Sha256[..12]} was decided on at {Time(champion.Package.Manifest.Promotion.DecidedAt)} already");
            Save(state with { DoneUntil = champion.Package.Manifest.Promotion.DecidedAt });
            return;
        }

        log($"{Time(point.At)} ({string.Join(", ", triggers)}): training a challenger");
        var result = await challenge.RunAsync(history, folder.Snapshot, point, triggers, champion, (_, _) => { }, cancellation);
        var took = clock.GetElapsedTime(startedAt);
        onStep(WatchStep.Judged);
        if (result.Package is { } file)
        {
            folder.WritePackage(result.Decision.ChallengerSha256!, file);
            onStep(WatchStep.PackageWritten);
            Save(state with { Pending = result.Decision });
            onStep(WatchStep.Pending);
            Publish(result.Decision, took);
        }
        else
        {
            Finish(result.Decision, champion?.Package.Manifest.Sequence ?? 0, took);
        }
    }

    private void Publish(WatchDecision decision, TimeSpan took)
    {
        string sha256 = decision.ChallengerSha256!;
        byte[]? file = folder.ReadPackage(sha256);
        if (file is null)
        {
            log($"{Time(decision.At)}: the package {sha256[..12]} that was to be published is not on the disk any more; judging again");
            Save(state with { Pending = null });
            return;
        }

        Publication publication;
        try
        {
            publication = channel.Publish(file, challenge.Verified(file));
        }
        catch (TrainerException)
        {
            metrics.CountPublishFailure();
            throw;
        }

        onStep(WatchStep.Published);
        if (publication.Outcome == PublicationOutcome.Refused)
        {
            // Someone published meanwhile: it was judged against a champion that no longer reigns.
            log($"{Time(decision.At)}: {publication.Sentence}; judging again");
            Save(state with { Pending = null });
            return;
        }

        Finish(decision, decision.Sequence!.Value, took);
    }

    private void Finish(WatchDecision decision, long championSequence, TimeSpan took)
    {
        folder.Write(decision);
        onStep(WatchStep.Told);
        // Also where nothing could be judged: the same labels or the same drift do not ask again each midnight.
        Save(state with { DoneUntil = decision.At, TrainedAt = decision.At, Pending = null });
        onStep(WatchStep.Done);
        metrics.Show(decision, championSequence, took);
        string which = decision.ChallengerSha256 is { } challenger ? $" {challenger[..12]}" : "";
        log($"{Time(decision.At)} ({string.Join(", ", decision.Triggers)}): {decision.Outcome}{which}: {decision.Reason}");
    }

    private async Task<List<string>> TriggersAsync(WatchPoint point, CancellationToken cancellation)
    {
        var triggers = new List<string>();
        if (point.IsScheduled)
        {
            triggers.Add("schedule");
        }

        if (settings.LabelsMin > 0)
        {
            var labels = await HistorySnapshot.ReadLabelsAsync(history, cancellation);
            long delayMs = (long)challenge.LabelDelay.TotalMilliseconds;
            long sinceMs = state.TrainedAt?.ToUnixTimeMilliseconds() ?? long.MinValue;
            if (NewlyKnown.Count(labels, delayMs, sinceMs, point.AtMs) >= settings.LabelsMin)
            {
                triggers.Add("labels");
            }
        }

        // A judged challenger that did not help is not tried again the next day on the same drift.
        bool isRested = state.TrainedAt is not { } trained || point.At - trained >= TimeSpan.FromDays(settings.JudgedDays);
        if (settings.DriftMin > 0 && !point.IsScheduled && isRested)
        {
            var moved = await drift.RunAsync(history, folder.Snapshot, point, channel.Champion(), cancellation);
            if (moved.Count > 0)
            {
                var (name, largest) = moved.MaxBy(index => index.Value);
                metrics.ShowDrift(largest);
                if (largest >= settings.DriftMin)
                {
                    triggers.Add("drift");
                    log(string.Create(CultureInfo.InvariantCulture, $"{Time(point.At)}: {name} has moved: population stability index {largest:0.00}"));
                }
            }
        }

        return triggers;
    }

    private void Save(WatchState next)
    {
        folder.Write(next);
        state = next;
        metrics.Show(state);
    }

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);
}
