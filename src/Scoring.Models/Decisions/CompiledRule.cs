using Scoring.Models.Definitions.Predicates;

namespace Scoring.Models.Decisions;

/// <summary>A rule of the definition, ready to be asked.</summary>
/// <param name="Name">Its name.</param>
/// <param name="When">When it hits.</param>
/// <param name="Then">What it asks for.</param>
/// <param name="Reason">Its reason code.</param>
/// <param name="Shadow">Whether it is only recorded.</param>
public sealed record CompiledRule(string Name, Predicate When, Decision Then, string Reason, bool Shadow);
