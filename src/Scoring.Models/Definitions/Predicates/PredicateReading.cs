namespace Scoring.Models.Definitions.Predicates;

/// <summary>What came of reading a predicate: the predicate, or everything that is wrong with it.</summary>
/// <param name="Predicate">The compiled predicate; null when there are faults.</param>
/// <param name="Faults">In the order of their positions; empty when the predicate is good.</param>
public sealed record PredicateReading(Predicate? Predicate, IReadOnlyList<PredicateFault> Faults);
