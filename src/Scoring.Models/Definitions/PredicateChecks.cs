using System.Globalization;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;

namespace Scoring.Models.Definitions;

/// <summary>Checks every <c>where</c> and <c>when</c> of a definition whose names are good.</summary>
internal static class PredicateChecks
{
    /// <summary>The faults of one predicate.</summary>
    /// <param name="path">Its JSON path.</param>
    /// <param name="text">The predicate.</param>
    /// <param name="schema">The fields it may name.</param>
    /// <param name="featureNames">The features it may name; null for a <c>where</c>, which may name <c>median</c>, <c>mean</c> and <c>count</c> instead.</param>
    private static IEnumerable<DefinitionFault> ParsePredicate(string path, string text, EventSchema schema, IReadOnlyList<string>? featureNames)
    {
        var scope = featureNames is null ? PredicateScope.ForWhere(schema) : PredicateScope.ForRules(schema, featureNames);
        return Predicate.Parse(text, scope).Faults.Select(fault =>
            new DefinitionFault(path, string.Create(CultureInfo.InvariantCulture, $"at {fault.Position}: {fault.Problem}"), fault.Fix));
    }

    public static IEnumerable<DefinitionFault> Run(ServiceDefinition definition)
    {
        var schema = EventSchema.From(definition);
        var featureNames = definition.Features.Select(feature => feature.Name).ToList();
        for (int i = 0; i < definition.Features.Count; i++)
        {
            if (definition.Features[i].Where is { } where)
            {
                foreach (var fault in ParsePredicate(string.Create(CultureInfo.InvariantCulture, $"$.features[{i}].where"), where, schema, null))
                {
                    yield return fault;
                }
            }
        }

        for (int i = 0; i < definition.Rules.Count; i++)
        {
            foreach (var fault in ParsePredicate(string.Create(CultureInfo.InvariantCulture, $"$.rules[{i}].when"), definition.Rules[i].When, schema, featureNames))
            {
                yield return fault;
            }
        }
    }
}
