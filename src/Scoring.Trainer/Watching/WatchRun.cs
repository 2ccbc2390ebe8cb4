using System.Globalization;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;

namespace Scoring.Trainer.Watching;

/// <summary>The loop: read, record, and when a time is due and this trainer decides, decide.</summary>
internal sealed class WatchRun(
    WatchSettings settings, StreamSource source, HistoryRecorder recorder, SegmentFolder history, Watcher watcher, Func<bool> decides, TrainerMetrics metrics, TimeProvider clock, Action<string> log)
{
    private const int RecordsPerStep = 10_000;

    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private long sealedAt = clock.GetTimestamp();

    /// <summary>Runs until it is stopped, or with <paramref name="once"/> until everything that is there has been read and decided on.</summary>
    public async Task RunAsync(bool once, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            int taken = source.Fill(RecordsPerStep, Wait);
            metrics.Show(recorder, history);
            metrics.ShowMissed(source.Missed);
            metrics.ShowDue(settings.EventClock ? null : watcher.DueAtMs);
            metrics.ShowLeader(decides());
            bool isOld = recorder.UnsealedRows > 0 && clock.GetElapsedTime(sealedAt) >= settings.SegmentAge;
            if (recorder.UnsealedRows >= settings.SegmentRows || isOld)
            {
                await SealAsync(cancellation);
            }

            bool isDone = await TryDecideAsync(cancellation);
            if (once && taken == 0 && isDone)
            {
                break;
            }
        }

        // What is in memory would be read again; writing it is only quicker.
        await SealAsync(CancellationToken.None);
    }

    // Whether nothing is left to decide.
    private async Task<bool> TryDecideAsync(CancellationToken cancellation)
    {
        long? clockMs = settings.EventClock ? recorder.LastEventMs : clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (clockMs is not { } nowMs || !watcher.IsDue(nowMs))
        {
            return true;
        }

        if (!decides())
        {
            return false;
        }

        try
        {
            // A record of behind the due time has come; those of before it were written earlier. Read on to where the topics end now.
            source.FillToEnds(cancellation);
            await SealAsync(cancellation);
            await watcher.AdvanceAsync(nowMs, cancellation);
            return true;
        }
        catch (TrainerException e) when (e.ExitCode == ExitCode.Unavailable)
        {
            log(string.Create(CultureInfo.InvariantCulture, $"{e.Message}; trying again in {RetryAfter.TotalSeconds:0} s"));
            await Task.Delay(RetryAfter, clock, cancellation);
            return false;
        }
    }

    private async Task SealAsync(CancellationToken cancellation)
    {
        await recorder.SealAsync(cancellation);
        if (watcher.NeededFromMs is { } fromMs)
        {
            history.Retain(fromMs, settings.HistoryBytesMax);
        }

        sealedAt = clock.GetTimestamp();
    }
}
