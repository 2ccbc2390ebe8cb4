namespace Scoring.Models.Events;

/// <summary>A micro-batch of decoded transactions, held by column. Reused from batch to batch; nothing is allocated per event.</summary>
/// <remarks>
/// A row is begun by <see cref="NextRow"/>, filled by a decoder, and either kept by <see cref="Accept"/> or given up
/// (the next <see cref="NextRow"/> then takes its place). Columns are indexed by <see cref="EventSchema.ColumnIndex"/>.
/// </remarks>
public sealed class TransactionBatch
{
    private readonly TextColumn[] texts;
    private readonly double[][] numbers;
    private readonly long[][] integers;
    private readonly long[][] times;
    private readonly sbyte[][] booleans;

    /// <summary>Makes room for <paramref name="rowsMax"/> rows of <paramref name="schema"/>.</summary>
    public TransactionBatch(EventSchema schema, int rowsMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        Schema = schema;
        RowsMax = rowsMax;
        var textLengths = new List<int>();
        foreach (var field in schema.Fields)
        {
            if (field.Kind == FieldKind.Text)
            {
                textLengths.Add(field.LengthMax);
            }
        }

        texts = [.. textLengths.Select(lengthMax => new TextColumn(rowsMax, lengthMax))];
        numbers = Columns<double>(FieldKind.Number);
        integers = Columns<long>(FieldKind.Integer);
        times = Columns<long>(FieldKind.Time);
        booleans = Columns<sbyte>(FieldKind.Boolean);
        Partitions = new int[rowsMax];
        Offsets = new long[rowsMax];
        AppendTimesMs = new long[rowsMax];

        T[][] Columns<T>(FieldKind kind) =>
            [.. Enumerable.Range(0, schema.ColumnCounts[(int)kind]).Select(_ => new T[rowsMax])];
    }

    /// <summary>The columns' layout.</summary>
    public EventSchema Schema { get; }

    /// <summary>Most rows.</summary>
    public int RowsMax { get; }

    /// <summary>Accepted rows.</summary>
    public int RowCount { get; private set; }

    /// <summary>Whether no further row can be begun.</summary>
    public bool IsFull => RowCount == RowsMax;

    /// <summary>Source partition of each row.</summary>
    public int[] Partitions { get; }

    /// <summary>Source offset of each row.</summary>
    public long[] Offsets { get; }

    /// <summary>Time at which the broker or the producer stamped the record, ms since 1970 UTC; 0 where unknown.</summary>
    public long[] AppendTimesMs { get; }

    /// <summary>Event times of the accepted rows, ms since 1970 UTC.</summary>
    public ReadOnlySpan<long> EventTimesMs => times[Schema.EventTime].AsSpan(0, RowCount);

    /// <summary>Amounts of the accepted rows in minor units.</summary>
    public ReadOnlySpan<long> AmountsMinor => integers[Schema.AmountMinor].AsSpan(0, RowCount);

    /// <summary>Transaction identifiers.</summary>
    public TextColumn TransactionIds => texts[Schema.TransactionId];

    /// <summary>Account identifiers.</summary>
    public TextColumn AccountIds => texts[Schema.AccountId];

    /// <summary>Currencies, ISO 4217 alpha-3.</summary>
    public TextColumn Currencies => texts[Schema.Currency];

    /// <summary>Merchant identifiers.</summary>
    public TextColumn MerchantIds => texts[Schema.MerchantId];

    /// <summary>A text column.</summary>
    public TextColumn Text(int columnIndex) => texts[columnIndex];

    /// <summary>A column of doubles; NaN is missing.</summary>
    public double[] Numbers(int columnIndex) => numbers[columnIndex];

    /// <summary>A column of integers; <see cref="long.MinValue"/> is missing.</summary>
    public long[] Integers(int columnIndex) => integers[columnIndex];

    /// <summary>A column of times, ms since 1970 UTC; <see cref="long.MinValue"/> is missing.</summary>
    public long[] Times(int columnIndex) => times[columnIndex];

    /// <summary>A column of booleans: 1, 0, or -1 for missing.</summary>
    public sbyte[] Booleans(int columnIndex) => booleans[columnIndex];

    /// <summary>Begins a row with every field missing, without counting it yet.</summary>
    /// <returns>Its row index, for the decoder to fill.</returns>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public int NextRow()
    {
        if (IsFull)
        {
            throw new InvalidOperationException("the batch is full");
        }

        int row = RowCount;
        foreach (var column in texts)
        {
            column.SetMissing(row);
        }

        foreach (var column in numbers)
        {
            column[row] = double.NaN;
        }

        foreach (var column in integers)
        {
            column[row] = long.MinValue;
        }

        foreach (var column in times)
        {
            column[row] = long.MinValue;
        }

        foreach (var column in booleans)
        {
            column[row] = -1;
        }

        return row;
    }

    /// <summary>Keeps the row that was begun last and says where it came from.</summary>
    public void Accept(int partition, long offset, long appendTimeMs)
    {
        Partitions[RowCount] = partition;
        Offsets[RowCount] = offset;
        AppendTimesMs[RowCount] = appendTimeMs;
        RowCount++;
    }

    /// <summary>Begins a row as a copy of an accepted or begun row of another batch of the same schema.</summary>
    /// <returns>Its row index; <see cref="Accept"/> keeps it.</returns>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public int CopyRow(TransactionBatch source, int sourceRow)
    {
        int row = NextRow();
        for (int i = 0; i < texts.Length; i++)
        {
            var value = source.texts[i][sourceRow];
            if (value.Length > 0)
            {
                texts[i].Set(row, value);
            }
        }

        Copy(source.numbers, numbers);
        Copy(source.integers, integers);
        Copy(source.times, times);
        Copy(source.booleans, booleans);
        return row;

        void Copy<T>(T[][] from, T[][] to)
        {
            for (int i = 0; i < from.Length; i++)
            {
                to[i][row] = from[i][sourceRow];
            }
        }
    }

    /// <summary>Empties the batch; its memory stays.</summary>
    public void Clear()
    {
        RowCount = 0;
        foreach (var column in texts)
        {
            column.Clear();
        }
    }
}
