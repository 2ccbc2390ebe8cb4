using System.Globalization;

namespace Scoring.Trainer.History.Segments;

/// <summary>Up to where the partitions of a topic were taken: the next offset of each. Immutable; text form <c>0:120,1:96</c>.</summary>
internal sealed class SourcePositions
{
    /// <summary>Nothing was taken.</summary>
    public static readonly SourcePositions None = new([]);

    private readonly SortedDictionary<int, long> next;

    private SourcePositions(SortedDictionary<int, long> next) => this.next = next;

    /// <summary>Next offset of each partition that something was taken of.</summary>
    public IReadOnlyDictionary<int, long> All => next;

    /// <summary>Next offset of a partition; null when nothing of it was taken.</summary>
    public long? Of(int partition) => next.TryGetValue(partition, out long offset) ? offset : null;

    /// <summary>The positions of a mutable table.</summary>
    public static SourcePositions Of(IEnumerable<KeyValuePair<int, long>> positions) => new(new SortedDictionary<int, long>(positions.ToDictionary()));

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static SourcePositions Parse(string text)
    {
        var positions = new SortedDictionary<int, long>();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            positions[int.Parse(part.AsSpan(0, colon), CultureInfo.InvariantCulture)] = long.Parse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        }

        return new(positions);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', next.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}:{pair.Value}")));
}
