using Scoring.Models.Ensembles;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Training;

/// <summary>What to train on and how.</summary>
internal sealed record TrainingPlan
{
    /// <summary>Rows to learn from.</summary>
    public required TimeWindow Training { get; init; }

    /// <summary>Later rows to calibrate on. Null: the training window itself, scored by a twin that is trained as much earlier as the live model will be.</summary>
    public TimeWindow? Calibration { get; init; }

    /// <summary>Time until a label counts, ms.</summary>
    public required long LabelDelayMs { get; init; }

    /// <summary>How the trees are grown.</summary>
    public required LearnerSettings Learner { get; init; }

    /// <summary>Whether a network is trained beside the trees. Off unless it is asked for.</summary>
    public NetworkChoice NetworkChoice { get; init; } = NetworkChoice.Off;

    /// <summary>How the network is trained.</summary>
    public NetworkSettings Network { get; init; } = new();

    /// <summary>Platt or isotonic.</summary>
    public CalibrationKind CalibrationKind { get; init; } = CalibrationKind.Platt;

    /// <summary>Whether accounts known to be compromised are left out of calibration, as they are blocked in the field.</summary>
    public bool RemoveCompromised { get; init; } = true;

    /// <summary>Review budget of the default threshold.</summary>
    public int ReviewsPerDay { get; init; } = 100;

    /// <summary>Share of frauds from which on the default threshold declines.</summary>
    public double DeclinePrecision { get; init; } = 0.9;

    /// <summary>The window that the twin learns from: one training window and one label delay earlier, so that it meets the training window as the live model meets tomorrow.</summary>
    public TimeWindow TwinTraining => Training.Earlier(Training.LengthMs + LabelDelayMs);

    /// <summary>The stretch of time whose features are needed.</summary>
    public TimeWindow Needed => Calibration is { } later
        ? new(Math.Min(Training.FromMs, later.FromMs), Math.Max(Training.ToMs, later.ToMs))
        : new(TwinTraining.FromMs, Training.ToMs);
}
