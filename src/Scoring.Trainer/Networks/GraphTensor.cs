namespace Scoring.Trainer.Networks;

/// <summary>A value in a graph that is being built.</summary>
/// <param name="Name">Name by which nodes read it.</param>
/// <param name="Dimensions">Size per dimension, none for a scalar; <see cref="Open"/> where it is known only when the graph runs (the rows).</param>
internal sealed record GraphTensor(string Name, IReadOnlyList<long> Dimensions)
{
    /// <summary>A size that is not known when the graph is built.</summary>
    public const long Open = -1;

    /// <summary>Number of values; the open dimension counts once.</summary>
    public long Count => Dimensions.Aggregate(1L, (product, size) => product * Math.Max(1, size));

    /// <summary>Whether another tensor has the same sizes.</summary>
    public bool IsShapedLike(GraphTensor other) => Dimensions.SequenceEqual(other.Dimensions);
}
