using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Watching;

/// <summary>Which days a challenger learns from and which judge it.</summary>
/// <param name="Training">Days that are learnt from.</param>
/// <param name="Judged">The days behind those; their last is the last whose labels are known.</param>
internal sealed record ChallengeWindows(TimeWindow Training, TimeWindow Judged)
{
    /// <summary>The days as of a time: judged are the last days that are mature, learnt from are the days before them.</summary>
    public static ChallengeWindows At(long atMs, WatchSettings settings, long labelDelayMs)
    {
        long judgedToMs = atMs - labelDelayMs;
        long judgedFromMs = judgedToMs - (settings.JudgedDays * ScoredRows.DayMs);
        return new(new(judgedFromMs - (settings.TrainingDays * ScoredRows.DayMs), judgedFromMs), new(judgedFromMs, judgedToMs));
    }
}
