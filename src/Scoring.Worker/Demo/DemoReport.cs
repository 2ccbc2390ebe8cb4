namespace Scoring.Worker.Demo;

/// <summary>What a demo shows at its end, counted from its ledger. Which model made a score, the score itself says.</summary>
internal sealed class DemoReport
{
    /// <summary>Counts.</summary>
    /// <param name="ledger">The live payments and their answers.</param>
    /// <param name="first">The first model; absent when the demo was stopped before there was one.</param>
    /// <param name="second">The second model; absent when it did not come to one.</param>
    /// <param name="comparedFrom">From here on both models are compared, where the first one was asked too.</param>
    public DemoReport(DemoLedger ledger, DemoModel? first, DemoModel? second, DateTimeOffset comparedFrom)
    {
        var visible = new List<float>();
        var computed = new List<float>();
        var compared = new List<DemoPayment>();
        double reviewFrom = double.NaN; // The first model's threshold, as its scores say.
        foreach (ref readonly var payment in ledger.Payments)
        {
            Sent++;
            if (!payment.IsAnswered)
            {
                continue;
            }

            Answered++;
            Degraded += payment.Answer.IsDegraded ? 1 : 0;
            visible.Add(payment.VisibleMs);
            computed.Add(payment.ComputedMs);
            All.Add(payment, payment.Answer.IsAlert);
            if (payment.Answer.Model == first?.Digest)
            {
                ByFirst.Add(payment, payment.Answer.IsAlert);
                reviewFrom = payment.Answer.ReviewFrom;
            }
            else if (payment.Answer.Model == second?.Digest)
            {
                BySecond.Add(payment, payment.Answer.IsAlert);
                if (payment.Facts.EventTimeMs >= comparedFrom.ToUnixTimeMilliseconds() && !double.IsNaN(payment.FirstModelProbability))
                {
                    compared.Add(payment);
                }
            }
        }

        Repeated = ledger.Repeated;
        visible.Sort();
        computed.Sort();
        Visible = (Percentile(visible, 0.5), Percentile(visible, 0.99));
        Computed = (Percentile(computed, 0.5), Percentile(computed, 0.99));
        Compare(compared, reviewFrom);
    }

    /// <summary>Live payments sent.</summary>
    public long Sent { get; }

    /// <summary>Live payments whose score came.</summary>
    public long Answered { get; }

    /// <summary>Scores that came twice.</summary>
    public long Repeated { get; }

    /// <summary>Scores that were marked degraded.</summary>
    public long Degraded { get; }

    /// <summary>Median and 99th percentile of the time from sending a payment to reading its score, ms.</summary>
    public (double P50, double P99) Visible { get; }

    /// <summary>The same to the making of the score, as it says.</summary>
    public (double P50, double P99) Computed { get; }

    /// <summary>Every live payment, decided by whichever model there was.</summary>
    public DemoModelTally All { get; } = new();

    /// <summary>The live payments that the first model scored.</summary>
    public DemoModelTally ByFirst { get; } = new();

    /// <summary>The live payments that the second model scored.</summary>
    public DemoModelTally BySecond { get; } = new();

    /// <summary>The compared days, decided by the first model: its probability and threshold, and the same rules.</summary>
    public DemoModelTally ComparedFirst { get; } = new();

    /// <summary>The compared days, decided by the second model, as they were.</summary>
    public DemoModelTally ComparedSecond { get; } = new();

    /// <summary>The compared days again, by as many alerts as the second model raised, the first model's highest probabilities.</summary>
    public DemoModelTally RankedFirst { get; } = new();

    /// <summary>The same for the second model.</summary>
    public DemoModelTally RankedSecond { get; } = new();

    /// <summary>Whether there is anything to compare.</summary>
    public bool IsCompared => ComparedSecond.Frauds.Count > 0;

    /// <summary>A value of a sorted list below which a share of the others lies; 0 of an empty one.</summary>
    public static double Percentile(List<float> sorted, double share) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];

    private void Compare(List<DemoPayment> compared, double reviewFrom)
    {
        foreach (var payment in compared)
        {
            ComparedFirst.Add(payment, payment.FirstModelProbability >= reviewFrom || payment.Answer.HasRule);
            ComparedSecond.Add(payment, payment.Answer.IsAlert);
        }

        int budget = (int)ComparedSecond.Alerts;
        Rank(RankedFirst, compared.OrderByDescending(static payment => payment.FirstModelProbability), budget);
        Rank(RankedSecond, compared.OrderByDescending(static payment => payment.Answer.Probability), budget);
    }

    private static void Rank(DemoModelTally tally, IEnumerable<DemoPayment> descending, int budget)
    {
        foreach (var payment in descending)
        {
            tally.Add(payment, budget-- > 0);
        }
    }
}
