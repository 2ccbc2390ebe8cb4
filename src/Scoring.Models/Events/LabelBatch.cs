namespace Scoring.Models.Events;

/// <summary>Decoded labels, held by column and reused from batch to batch as <see cref="TransactionBatch"/> is.</summary>
public sealed class LabelBatch
{
    /// <summary>Makes room for <paramref name="rowsMax"/> labels.</summary>
    /// <param name="schema">Fields of the transactions that labels are about.</param>
    /// <param name="rowsMax">Most rows.</param>
    public LabelBatch(EventSchema schema, int rowsMax)
    {
        Facts = new TransactionBatch(schema, rowsMax);
        LabelIds = new TextColumn(rowsMax, 64);
        TransactionIds = new TextColumn(rowsMax, 64);
        AccountIds = new TextColumn(rowsMax, 128);
        Supersedes = new TextColumn(rowsMax, 64);
        IsFraud = new sbyte[rowsMax];
        Sources = new LabelSource[rowsMax];
        OccurredAtMs = new long[rowsMax];
        ReportedAtMs = new long[rowsMax];
    }

    /// <summary>What the labels themselves say about their transactions: text fields of the schema under our names, and <c>transaction_time</c> as event time; missing where they say nothing.</summary>
    public TransactionBatch Facts { get; }

    /// <summary>Most rows.</summary>
    public int RowsMax => Facts.RowsMax;

    /// <summary>Accepted rows.</summary>
    public int RowCount => Facts.RowCount;

    /// <summary>Whether no further row can be begun.</summary>
    public bool IsFull => Facts.IsFull;

    /// <summary>Source partition of each row.</summary>
    public int[] Partitions => Facts.Partitions;

    /// <summary>Source offset of each row.</summary>
    public long[] Offsets => Facts.Offsets;

    /// <summary>Label identifiers.</summary>
    public TextColumn LabelIds { get; }

    /// <summary>The transactions that are labelled.</summary>
    public TextColumn TransactionIds { get; }

    /// <summary>Their accounts.</summary>
    public TextColumn AccountIds { get; }

    /// <summary>The labels that these correct; missing where they correct none.</summary>
    public TextColumn Supersedes { get; }

    /// <summary>1 fraud, 0 honest, -1 not known.</summary>
    public sbyte[] IsFraud { get; }

    /// <summary>Who says so.</summary>
    public LabelSource[] Sources { get; }

    /// <summary>When the fraud happened, ms since 1970 UTC; <see cref="long.MinValue"/> where not said.</summary>
    public long[] OccurredAtMs { get; }

    /// <summary>When it was reported, ms since 1970 UTC; <see cref="long.MinValue"/> where not said.</summary>
    public long[] ReportedAtMs { get; }

    /// <summary>Begins a row with everything missing, without counting it yet.</summary>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public int NextRow()
    {
        int row = Facts.NextRow();
        LabelIds.SetMissing(row);
        TransactionIds.SetMissing(row);
        AccountIds.SetMissing(row);
        Supersedes.SetMissing(row);
        IsFraud[row] = -1;
        Sources[row] = LabelSource.Unknown;
        OccurredAtMs[row] = long.MinValue;
        ReportedAtMs[row] = long.MinValue;
        return row;
    }

    /// <summary>Keeps the row that was begun last and says where it came from.</summary>
    public void Accept(int partition, long offset, long appendTimeMs) => Facts.Accept(partition, offset, appendTimeMs);

    /// <summary>Empties the batch; its memory stays.</summary>
    public void Clear()
    {
        Facts.Clear();
        LabelIds.Clear();
        TransactionIds.Clear();
        AccountIds.Clear();
        Supersedes.Clear();
    }
}
