using Prometheus;
using Scoring.Models.Events;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;

namespace Scoring.Trainer.Watching;

/// <summary>Every metric of the trainer. Labels come from closed sets; a series exists from the start, at zero.</summary>
internal sealed class TrainerMetrics
{
    private static readonly string[] Outcomes = ["promoted", "kept", "not_judged"];

    private readonly Counter taken;
    private readonly Counter refused;
    private readonly Counter decisions;
    private readonly Counter publishFailures;
    private readonly Counter missed;
    private readonly Gauge labels;
    private readonly Gauge isLeader;
    private readonly Gauge decidedAt;
    private readonly Gauge dueAt;
    private readonly Gauge publicationPending;
    private readonly Gauge championSequence;
    private readonly Gauge precision;
    private readonly Gauge precisionGainLow;
    private readonly Gauge drift;
    private readonly Gauge historyBytes;
    private readonly Gauge lastEvent;
    private readonly Gauge trainingSeconds;

    /// <summary>Registers them all.</summary>
    public TrainerMetrics(CollectorRegistry registry)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        taken = factory.CreateCounter("fraudscoring_trainer_records_total", "Records taken into the history, by input.", ["input"]);
        refused = factory.CreateCounter("fraudscoring_trainer_records_refused_total", "Records that the decoder refused, by input and reason.", ["input", "reason"]);
        decisions = factory.CreateCounter("fraudscoring_trainer_decisions_total", "Challengers judged, by outcome.", ["outcome"]);
        publishFailures = factory.CreateCounter("fraudscoring_trainer_publish_failures_total", "Attempts to publish a promoted package that failed.");
        missed = factory.CreateCounter("fraudscoring_trainer_missed_records_total", "Records that retention removed from the topics before they were recorded.");
        labels = factory.CreateGauge("fraudscoring_trainer_labels", "Labels of the history at the last decision, by what became of them.", ["state"]);
        isLeader = factory.CreateGauge("fraudscoring_trainer_is_leader", "1 where this trainer decides for the channel, 0 where it waits.");
        decidedAt = factory.CreateGauge("fraudscoring_trainer_decided_timestamp_seconds", "The last time that was decided on, by the trainer's clock.");
        dueAt = factory.CreateGauge("fraudscoring_trainer_due_timestamp_seconds", "When the next decision is due, seconds since 1970; in the past it is overdue. 0 while nothing is due, and where events are the clock.");
        publicationPending = factory.CreateGauge("fraudscoring_trainer_publication_pending", "1 while a promoted package is not published yet.");
        championSequence = factory.CreateGauge("fraudscoring_trainer_champion_sequence", "Sequence of the champion's package; 0 where there is none.");
        precision = factory.CreateGauge("fraudscoring_trainer_average_precision", "Average precision on the days last judged.", ["model"]);
        precisionGainLow = factory.CreateGauge("fraudscoring_trainer_average_precision_gain_low", "Lower bound of the challenger's gain in average precision, last judged.");
        drift = factory.CreateGauge("fraudscoring_trainer_drift_psi", "Largest population stability index of a feature or the score, last looked at.");
        historyBytes = factory.CreateGauge("fraudscoring_trainer_history_bytes", "Bytes of the recorded history on disk.");
        lastEvent = factory.CreateGauge("fraudscoring_trainer_last_event_timestamp_seconds", "Latest event time recorded.");
        trainingSeconds = factory.CreateGauge("fraudscoring_trainer_training_duration_seconds", "How long the last challenger took to train and judge.");
        foreach (string outcome in Outcomes)
        {
            decisions.WithLabels(outcome);
        }

        foreach (var kind in Enum.GetValues<SourceKind>())
        {
            taken.WithLabels(NameOf(kind));
        }
    }

    /// <summary>Shows how far the history is.</summary>
    public void Show(HistoryRecorder recorder, SegmentFolder folder)
    {
        foreach (var kind in Enum.GetValues<SourceKind>())
        {
            taken.WithLabels(NameOf(kind)).IncTo(recorder.Counts.Taken(kind));
        }

        foreach (var ((kind, code), count) in recorder.Counts.Refused)
        {
            refused.WithLabels(NameOf(kind), RefusalTexts.Wire(code)).IncTo(count);
        }

        historyBytes.Set(folder.Bytes);
        lastEvent.Set((recorder.LastEventMs ?? 0) / 1_000.0);
    }

    /// <summary>Shows how many records the topics had lost before they were read.</summary>
    public void ShowMissed(long records) => missed.IncTo(records);

    /// <summary>Shows where the loop stands, also right after a start.</summary>
    public void Show(WatchState state)
    {
        publicationPending.Set(state.Pending is null ? 0 : 1);
        decidedAt.Set(state.TrainedAt?.ToUnixTimeSeconds() ?? 0);
    }

    /// <summary>Shows when the next decision is due, ms since 1970; null when none is.</summary>
    public void ShowDue(long? timeMs) => dueAt.Set((timeMs ?? 0) / 1_000.0);

    /// <summary>Shows who decides.</summary>
    public void ShowLeader(bool leads) => isLeader.Set(leads ? 1 : 0);

    /// <summary>Shows a decision.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="champion">Sequence of the champion afterwards.</param>
    /// <param name="took">How long it took.</param>
    public void Show(WatchDecision decision, long champion, TimeSpan took)
    {
        decisions.WithLabels(decision.Outcome).Inc();
        championSequence.Set(champion);
        trainingSeconds.Set(took.TotalSeconds);
        foreach (var (name, value) in decision.Figures)
        {
            if (name.StartsWith("labels_", StringComparison.Ordinal))
            {
                labels.WithLabels(name["labels_".Length..]).Set(value);
            }
            else if (name is "champion_ap" or "challenger_ap")
            {
                precision.WithLabels(name[..^3]).Set(value);
            }
            else if (name is "ap_gain_low")
            {
                precisionGainLow.Set(value);
            }
        }
    }

    /// <summary>Shows how far the traffic has drifted.</summary>
    public void ShowDrift(double largest) => drift.Set(largest);

    /// <summary>Counts an attempt to publish that failed.</summary>
    public void CountPublishFailure() => publishFailures.Inc();

    private static string NameOf(SourceKind kind) => kind == SourceKind.Transactions ? "transactions" : "labels";
}
