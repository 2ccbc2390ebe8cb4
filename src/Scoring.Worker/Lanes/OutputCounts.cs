using System.Text.Json;
using Prometheus;
using Scoring.Models.Decisions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Counts a lane's output until it is committed, so that what is taken back and done again counts once.</summary>
internal sealed class OutputCounts
{
    private readonly Pending[] decisions;
    private readonly Pending[] labels;
    private readonly Pending[] deadLetters;
    private readonly Pending alerts;
    private readonly Pending stale;
    private readonly Pending repeats;
    private readonly Pending[] all;

    /// <summary>Starts at nothing.</summary>
    public OutputCounts(WorkerMetrics metrics)
    {
        decisions = [.. Enum.GetValues<Decision>().Select(decision => new Pending(metrics.EventsScored.WithLabels(decision.ToString().ToLowerInvariant())))];
        labels = [.. Enum.GetValues<LabelOutcome>().Select(outcome => new Pending(metrics.Labels.WithLabels(JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString()))))];
        deadLetters = [.. Enum.GetValues<RefusalCode>().Where(code => code != RefusalCode.None).Select(code => new Pending(metrics.DeadLetters.WithLabels(RefusalTexts.Wire(code))))];
        alerts = new Pending(metrics.Alerts);
        stale = new Pending(metrics.Fallback.WithLabels("stale_aggregates"));
        repeats = new Pending(metrics.Duplicates);
        all = [.. decisions, .. labels, .. deadLetters, alerts, stale, repeats];
    }

    /// <summary>A score was published, with an alert where it asks for action.</summary>
    public void Count(Decision decision, bool isStale)
    {
        decisions[(int)decision].Count++;
        alerts.Count += decision != Decision.Approve ? 1 : 0;
        stale.Count += isStale ? 1 : 0;
    }

    /// <summary>A score was published once more.</summary>
    public void CountRepeat() => repeats.Count++;

    /// <summary>A label was applied.</summary>
    public void Count(LabelOutcome outcome) => labels[(int)outcome].Count++;

    /// <summary>A dead letter was published.</summary>
    public void Count(RefusalCode code) => deadLetters[(int)code - 1].Count++;

    /// <summary>Tells the metrics.</summary>
    public void Settle()
    {
        foreach (var pending in all)
        {
            if (pending.Count > 0)
            {
                pending.Counter.Inc(pending.Count);
                pending.Count = 0;
            }
        }
    }

    /// <summary>Forgets what the metrics were not told.</summary>
    public void Discard()
    {
        foreach (var pending in all)
        {
            pending.Count = 0;
        }
    }

    private sealed class Pending(ICounter counter)
    {
        public ICounter Counter { get; } = counter;

        public long Count { get; set; }
    }
}
