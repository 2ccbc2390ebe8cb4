namespace Scoring.Models.Events;

/// <summary>UTF-8 values of one field, a row each, in one growing buffer that is reused from batch to batch.</summary>
public sealed class TextColumn
{
    private readonly int[] starts;
    private readonly int[] lengths;
    private byte[] bytes;
    private int byteCount;

    internal TextColumn(int rowsMax, int lengthMax)
    {
        starts = new int[rowsMax];
        lengths = new int[rowsMax];
        bytes = new byte[rowsMax * Math.Min(lengthMax, 24)];
    }

    /// <summary>The value of a row; empty where the event has none (a present value is never empty).</summary>
    public ReadOnlySpan<byte> this[int rowIndex] => bytes.AsSpan(starts[rowIndex], lengths[rowIndex]);

    /// <summary>Whether the event of this row has the field.</summary>
    public bool Has(int rowIndex) => lengths[rowIndex] > 0;

    /// <summary>Sets the value of a row. Rows are set in order; setting one again leaves its old bytes unused until <see cref="Clear"/>.</summary>
    public void Set(int rowIndex, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Reserve(rowIndex, value.Length));
    }

    /// <summary>Makes room for a value that the caller writes in place.</summary>
    public Span<byte> Reserve(int rowIndex, int length)
    {
        if (byteCount + length > bytes.Length)
        {
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, byteCount + length));
        }

        starts[rowIndex] = byteCount;
        lengths[rowIndex] = length;
        byteCount += length;
        return bytes.AsSpan(starts[rowIndex], length);
    }

    /// <summary>Marks the field as missing in this row.</summary>
    public void SetMissing(int rowIndex) => lengths[rowIndex] = 0;

    internal void Clear() => byteCount = 0;
}
