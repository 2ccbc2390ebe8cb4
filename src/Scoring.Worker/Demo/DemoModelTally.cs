namespace Scoring.Worker.Demo;

/// <summary>What one model made of some payments, by the kind of fraud.</summary>
internal sealed class DemoModelTally
{
    private readonly Dictionary<FraudPattern, DemoTally> lines = Enum.GetValues<FraudPattern>().ToDictionary(static pattern => pattern, static _ => new DemoTally());

    /// <summary>All frauds together.</summary>
    public DemoTally Frauds { get; } = new();

    /// <summary>The honest payments; those that raised an alert are false alarms.</summary>
    public DemoTally Honest => lines[FraudPattern.None];

    /// <summary>Every payment that raised an alert.</summary>
    public long Alerts => Frauds.Alerted + Honest.Alerted;

    /// <summary>The payments of one pattern.</summary>
    public DemoTally this[FraudPattern pattern] => lines[pattern];

    /// <summary>Counts one payment.</summary>
    public void Add(DemoPayment payment, bool isAlerted)
    {
        lines[payment.Facts.Pattern].Add(payment, isAlerted);
        if (payment.Facts.Pattern != FraudPattern.None)
        {
            Frauds.Add(payment, isAlerted);
        }
    }
}
