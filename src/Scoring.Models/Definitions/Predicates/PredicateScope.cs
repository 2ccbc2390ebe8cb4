using Scoring.Models.Events;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>The names that a predicate may use, and where their values are found.</summary>
/// <remarks>
/// Where one name has several meanings the first of these is taken: <c>amount</c> (in major units of the currency), <c>score</c>
/// and the extras; fields of the events; features. A definition whose attributes or features take such a name hides them from its rules.
/// </remarks>
public sealed class PredicateScope
{
    private readonly Dictionary<string, PredicateName> names = new(StringComparer.Ordinal);

    private PredicateScope(EventSchema schema, IReadOnlyList<string> featureNames, bool hasScore, IReadOnlyList<string> extras)
    {
        Schema = schema;
        Extras = extras;
        Add(new("amount", PredicateType.Number, PredicateSource.Amount));
        if (hasScore)
        {
            Add(new("score", PredicateType.Number, PredicateSource.Score));
        }

        for (int i = 0; i < extras.Count; i++)
        {
            Add(new(extras[i], PredicateType.Number, PredicateSource.Extra, i));
        }

        for (int i = 0; i < schema.Fields.Count; i++)
        {
            var field = schema.Fields[i];
            var (type, source) = field.Kind switch
            {
                FieldKind.Text => (PredicateType.Text, PredicateSource.Text),
                FieldKind.Number => (PredicateType.Number, PredicateSource.Number),
                FieldKind.Integer => (PredicateType.Number, PredicateSource.Integer),
                FieldKind.Time => (PredicateType.Number, PredicateSource.Time),
                FieldKind.Boolean => (PredicateType.Boolean, PredicateSource.Boolean),
                _ => throw new ArgumentException($"a field of kind {field.Kind} cannot stand in a predicate", nameof(schema)),
            };
            Add(new(field.Name, type, source, schema.ColumnIndex(i)));
        }

        for (int i = 0; i < featureNames.Count; i++)
        {
            Add(new(featureNames[i], PredicateType.Number, PredicateSource.Feature, i));
        }
    }

    /// <summary>Names of an entity's own window that a feature's <c>where</c> may use, in the order in which their values are given.</summary>
    public static IReadOnlyList<string> WindowStatistics { get; } = ["median", "mean", "count"];

    /// <summary>The schema whose batches the predicates look at.</summary>
    public EventSchema Schema { get; }

    /// <summary>Names whose values come with <see cref="PredicateInput"/>, in its order.</summary>
    public IReadOnlyList<string> Extras { get; }

    /// <summary>Every name, for suggestions and completion.</summary>
    public IReadOnlyCollection<string> Names => names.Keys;

    /// <summary>What a rule may use: fields, <c>amount</c>, features and <c>score</c>.</summary>
    /// <param name="schema">Schema of the batches.</param>
    /// <param name="featureNames">Names by feature index.</param>
    public static PredicateScope ForRules(EventSchema schema, IReadOnlyList<string> featureNames) => new(schema, featureNames, hasScore: true, []);

    /// <summary>What the <c>where</c> of a feature may use: fields, <c>amount</c> and <see cref="WindowStatistics"/>.</summary>
    public static PredicateScope ForWhere(EventSchema schema) => new(schema, [], hasScore: false, WindowStatistics);

    internal PredicateName? Find(string name) => names.GetValueOrDefault(name);

    private void Add(PredicateName name) => names.TryAdd(name.Name, name);
}
