using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>What a predicate looks at: one row of a batch and what was computed for it.</summary>
/// <param name="batch">Batch of the schema the predicate was compiled for.</param>
/// <param name="row">Row in <paramref name="batch"/> and <paramref name="features"/>.</param>
/// <param name="features">The row's features; null where the predicate's scope names none.</param>
/// <param name="score">The row's score, 0 to 1; NaN where no model scored. Read only where the scope has <c>score</c>.</param>
/// <param name="extras">Values of <see cref="PredicateScope.Extras"/>, in that order; NaN is missing.</param>
public readonly ref struct PredicateInput(TransactionBatch batch, int row, FeatureBlock? features, double score, ReadOnlySpan<double> extras)
{
    internal readonly TransactionBatch Batch = batch;
    internal readonly FeatureBlock? Features = features;
    internal readonly ReadOnlySpan<double> Extras = extras;
    internal readonly double Score = score;
    internal readonly int Row = row;
}
