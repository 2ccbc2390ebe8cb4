namespace Scoring.Models.Events.Json;

/// <summary>Takes the values that a walk finds. A struct, so that the walk is compiled for each and nothing is called through a table.</summary>
internal interface IMemberSink
{
    /// <summary>Takes one value.</summary>
    /// <param name="target">Number that the trie was given for its path.</param>
    /// <param name="value">Never an object or list that the walk descends into.</param>
    /// <returns><see cref="RefusalCode.None"/> to go on.</returns>
    RefusalCode Take(int target, scoped in JsonValue value);
}
