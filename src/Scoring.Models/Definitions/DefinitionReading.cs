namespace Scoring.Models.Definitions;

/// <summary>What came of reading a definition file: the definition, or everything that is wrong with it.</summary>
/// <param name="Definition">The definition; null when there is a fault.</param>
/// <param name="Faults">All faults, in the order of the file; empty when the definition is good.</param>
public sealed record DefinitionReading(ServiceDefinition? Definition, IReadOnlyList<DefinitionFault> Faults);
