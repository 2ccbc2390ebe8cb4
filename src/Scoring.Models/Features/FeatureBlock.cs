namespace Scoring.Models.Features;

/// <summary>Feature values of a micro-batch in blocks of 16 rows, feature-major: what the tree kernels read.</summary>
/// <remarks>
/// Value of feature f in row r: <c>block(r / 16)[f * 16 + r % 16]</c>. Lanes behind the last row hold stale values;
/// kernels may compute on them, nobody reads the result. NaN is missing.
/// </remarks>
public sealed class FeatureBlock
{
    /// <summary>Rows of one block.</summary>
    public const int Lanes = 16;

    private readonly float[] values;
    private readonly double[]? exact;

    /// <summary>Makes room for <paramref name="rowsMax"/> rows.</summary>
    /// <param name="featureCount">Features of a row.</param>
    /// <param name="rowsMax">Most rows; rounded up to whole blocks.</param>
    /// <param name="keepExact">Whether the doubles that the floats are rounded from are kept too (row-major), for emission and comparison.</param>
    public FeatureBlock(int featureCount, int rowsMax, bool keepExact = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(featureCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        FeatureCount = featureCount;
        BlockCount = (rowsMax + Lanes - 1) / Lanes;
        values = new float[BlockCount * Lanes * featureCount];
        Repetitions = new Repetition[BlockCount * Lanes];
        FirstOffsets = new long[BlockCount * Lanes];
        exact = keepExact ? new double[BlockCount * Lanes * featureCount] : null;
    }

    /// <summary>Features of a row.</summary>
    public int FeatureCount { get; }

    /// <summary>Whether each row came before. One that did has no features: all are missing.</summary>
    public Repetition[] Repetitions { get; }

    /// <summary>Of a row that came before: where its first one stands, in its partition.</summary>
    public long[] FirstOffsets { get; }

    /// <summary>Blocks of 16 rows.</summary>
    public int BlockCount { get; }

    /// <summary>Whether <see cref="ExactRow"/> is there.</summary>
    public bool KeepsExact => exact is not null;

    /// <summary>One block, <c>FeatureCount x 16</c>.</summary>
    public ReadOnlySpan<float> Block(int blockIndex) => values.AsSpan(blockIndex * Lanes * FeatureCount, Lanes * FeatureCount);

    /// <summary>Sets one value, given as the double it is computed in.</summary>
    public void Set(int rowIndex, int featureIndex, double value)
    {
        values[((rowIndex / Lanes * FeatureCount) + featureIndex) * Lanes + (rowIndex % Lanes)] = (float)value;
        if (exact is not null)
        {
            exact[(rowIndex * FeatureCount) + featureIndex] = value;
        }
    }

    /// <summary>One value as the models see it.</summary>
    public float Get(int rowIndex, int featureIndex) =>
        values[((rowIndex / Lanes * FeatureCount) + featureIndex) * Lanes + (rowIndex % Lanes)];

    /// <summary>The row's values before they were rounded to float.</summary>
    /// <exception cref="InvalidOperationException">The block was made without them.</exception>
    public ReadOnlySpan<double> ExactRow(int rowIndex) =>
        exact is null ? throw new InvalidOperationException("this block keeps no exact values") : exact.AsSpan(rowIndex * FeatureCount, FeatureCount);

    /// <summary>Copies a row of floats, row-major, for the networks.</summary>
    public void CopyRow(int rowIndex, Span<float> destination)
    {
        int at = (rowIndex / Lanes * Lanes * FeatureCount) + (rowIndex % Lanes);
        for (int feature = 0; feature < FeatureCount; feature++, at += Lanes)
        {
            destination[feature] = values[at];
        }
    }
}
