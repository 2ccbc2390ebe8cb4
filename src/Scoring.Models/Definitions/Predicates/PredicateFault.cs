namespace Scoring.Models.Definitions.Predicates;

/// <summary>One thing wrong with the text of a predicate.</summary>
/// <param name="Position">Where in the text, in UTF-16 characters from 0.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Fix">What to write instead.</param>
public sealed record PredicateFault(int Position, string Problem, string Fix)
{
    /// <summary>The fault as one line: <c>at 8: there is no field or feature chanel; did you mean channel?</c></summary>
    public override string ToString() => $"at {Position}: {Problem}; {Fix}";
}
