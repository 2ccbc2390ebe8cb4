namespace Scoring.Worker.Demo;

/// <summary>What a demo shows at its end, counted from its ledger.</summary>
internal sealed class DemoReport
{
    private readonly Dictionary<FraudPattern, Line> lines = [];

    /// <summary>Counts.</summary>
    public DemoReport(DemoLedger ledger)
    {
        var visible = new List<float>();
        var computed = new List<float>();
        foreach (var pattern in Enum.GetValues<FraudPattern>())
        {
            lines[pattern] = new Line();
        }

        foreach (ref readonly var payment in ledger.Payments)
        {
            Sent++;
            lines[payment.Facts.Pattern].Add(payment);
            if (payment.IsAnswered)
            {
                Answered++;
                Degraded += payment.IsDegraded ? 1 : 0;
                visible.Add(payment.VisibleMs);
                computed.Add(payment.ComputedMs);
            }
        }

        Repeated = ledger.Repeated;
        visible.Sort();
        computed.Sort();
        Visible = (Percentile(visible, 0.5), Percentile(visible, 0.99));
        Computed = (Percentile(computed, 0.5), Percentile(computed, 0.99));
        foreach (var (pattern, line) in lines.Where(line => line.Key != FraudPattern.None))
        {
            Frauds.Add(line);
        }
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

    /// <summary>All frauds together.</summary>
    public Line Frauds { get; } = new();

    /// <summary>The honest payments; those that count as caught are false alarms.</summary>
    public Line Honest => lines[FraudPattern.None];

    /// <summary>The payments of one pattern.</summary>
    public Line this[FraudPattern pattern] => lines[pattern];

    /// <summary>A value of a sorted list below which a share of the others lies; 0 of an empty one.</summary>
    public static double Percentile(List<float> sorted, double share) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];

    /// <summary>Counts and money of some payments.</summary>
    internal sealed class Line
    {
        private readonly HashSet<int> campaigns = [];
        private readonly HashSet<int> campaignsNoticed = [];

        /// <summary>Payments.</summary>
        public long Count { get; private set; }

        /// <summary>Those of them that raised an alert.</summary>
        public long Alerted { get; private set; }

        /// <summary>Their amounts, cents of a euro.</summary>
        public long EuroCents { get; private set; }

        /// <summary>The amounts of those that raised an alert.</summary>
        public long AlertedEuroCents { get; private set; }

        /// <summary>Campaigns that they belong to.</summary>
        public int Campaigns => campaigns.Count;

        /// <summary>Campaigns of which at least one payment raised an alert.</summary>
        public int CampaignsNoticed => campaignsNoticed.Count;

        /// <summary>Share that raised an alert, 0 to 1; 0 of none.</summary>
        public double Share => Count == 0 ? 0 : Alerted / (double)Count;

        internal void Add(DemoPayment payment)
        {
            Count++;
            EuroCents += payment.Facts.EuroCents;
            campaigns.Add(payment.Facts.Campaign);
            if (payment.IsAlerted)
            {
                Alerted++;
                AlertedEuroCents += payment.Facts.EuroCents;
                campaignsNoticed.Add(payment.Facts.Campaign);
            }
        }

        internal void Add(Line other)
        {
            Count += other.Count;
            Alerted += other.Alerted;
            EuroCents += other.EuroCents;
            AlertedEuroCents += other.AlertedEuroCents;
            campaigns.UnionWith(other.campaigns);
            campaignsNoticed.UnionWith(other.campaignsNoticed);
        }
    }
}
