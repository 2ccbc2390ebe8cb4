namespace Scoring.Models.Definitions;

/// <summary>One thing that is wrong with a definition file.</summary>
/// <param name="Path">Where: a JSON path such as <c>$.features[3].window</c>.</param>
/// <param name="Problem">What is wrong, as a clause without a full stop.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record DefinitionFault(string Path, string Problem, string Fix)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Problem}; {Fix}";
}
