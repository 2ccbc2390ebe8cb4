namespace Scoring.Trainer.Training;

/// <summary>Feature vectors with what is known about them, in event time order. Columns of one length.</summary>
internal sealed class FeatureTable(int featureCount)
{
    private readonly List<long> timesMs = [];
    private readonly List<int> accounts = [];
    private readonly List<sbyte> labels = [];
    private readonly List<float[]> rows = [];
    private readonly List<string> ids = [];

    /// <summary>Features of a row.</summary>
    public int FeatureCount { get; } = featureCount;

    /// <summary>Number of rows.</summary>
    public int Count => rows.Count;

    /// <summary>Event time of a row, ms since 1970 UTC.</summary>
    public long TimeMs(int row) => timesMs[row];

    /// <summary>Account of a row as a small number.</summary>
    public int Account(int row) => accounts[row];

    /// <summary>Truth of a row: 1 fraud, 0 honest, -1 not known.</summary>
    public sbyte Label(int row) => labels[row];

    /// <summary>Features of a row; NaN is missing.</summary>
    public float[] Features(int row) => rows[row];

    /// <summary>Transaction of a row; empty where it was not given.</summary>
    public string TransactionId(int row) => ids[row];

    /// <summary>Adds a row; times must not descend.</summary>
    public void Add(long timeMs, int account, sbyte label, float[] features, string transactionId = "")
    {
        ids.Add(transactionId);
        timesMs.Add(timeMs);
        accounts.Add(account);
        labels.Add(label);
        rows.Add(features);
    }

    /// <summary>Rows with a known truth and an event time in a window.</summary>
    public List<int> Labelled(TimeWindow window)
    {
        var found = new List<int>();
        for (int row = FirstAtOrAfter(window.FromMs); row < Count && timesMs[row] < window.ToMs; row++)
        {
            if (labels[row] >= 0)
            {
                found.Add(row);
            }
        }

        return found;
    }

    private int FirstAtOrAfter(long timeMs)
    {
        int index = timesMs.BinarySearch(timeMs);
        index = index < 0 ? ~index : index;
        while (index > 0 && timesMs[index - 1] == timeMs)
        {
            index--;
        }

        return index;
    }
}
