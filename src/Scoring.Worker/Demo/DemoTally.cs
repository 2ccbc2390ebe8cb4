namespace Scoring.Worker.Demo;

/// <summary>Counts and money of some payments, and of those among them that raised an alert.</summary>
internal sealed class DemoTally
{
    /// <summary>Payments.</summary>
    public long Count { get; private set; }

    /// <summary>Those of them that raised an alert.</summary>
    public long Alerted { get; private set; }

    /// <summary>Their amounts, cents of a euro.</summary>
    public long EuroCents { get; private set; }

    /// <summary>The amounts of those that raised an alert.</summary>
    public long AlertedEuroCents { get; private set; }

    /// <summary>Share that raised an alert, 0 to 1; 0 of none.</summary>
    public double Share => Count == 0 ? 0 : Alerted / (double)Count;

    /// <summary>Counts one payment.</summary>
    public void Add(DemoPayment payment, bool isAlerted)
    {
        Count++;
        EuroCents += payment.Facts.EuroCents;
        if (isAlerted)
        {
            Alerted++;
            AlertedEuroCents += payment.Facts.EuroCents;
        }
    }
}
