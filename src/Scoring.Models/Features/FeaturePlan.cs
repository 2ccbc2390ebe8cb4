using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features;

/// <summary>A definition's features, compiled: the layout of every entity's record and a flat list of what to compute from it.</summary>
/// <remarks>Immutable; one plan serves every lane, the trainer and replay. Two plans with one <see cref="Digest"/> compute the same values as long as neither meets its limits (keys, events kept), which counters tell.</remarks>
public sealed class FeaturePlan
{
    internal FeaturePlan(EventSchema schema, IReadOnlyList<string> featureNames, EntityPlan[] entities, FeatureOp[] stateless, string digest, ServiceDefinition definition)
    {
        Schema = schema;
        FeatureNames = featureNames;
        Entities = entities;
        Stateless = stateless;
        Digest = digest;
        LabelDelayMs = (long)definition.Labels.Delay.TotalMilliseconds;
        RecentTransactionsMax = definition.Labels.RecentTransactionsMax;
        Duplicates = definition.Duplicates;
        LabelledEntities = [.. entities.Where(entity => entity.HasLabels)];
        IdentitySeed = Convert.ToInt64(digest[..16], 16);
    }

    /// <summary>Columns of the events that the plan reads.</summary>
    public EventSchema Schema { get; }

    /// <summary>Features of a row.</summary>
    public int FeatureCount => FeatureNames.Count;

    /// <summary>Names, by feature index.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>SHA-256 (hex) of everything that decides the value of a transaction that comes once, but the limits: a model trained on another digest is refused.</summary>
    public string Digest { get; }

    /// <summary>Names of the entities that have features; their place is the entity ordinal.</summary>
    public IReadOnlyList<string> EntityNames => [.. Entities.Select(entity => entity.Name)];

    /// <summary>Whether a feature reads what other partitions contribute.</summary>
    public bool HasShared => Array.Exists(Entities, entity => entity.IsShared);

    /// <summary>Whether a feature reads labels.</summary>
    public bool HasLabels => LabelledEntities.Length > 0;

    /// <summary>Whether a transaction that is sent again is recognised.</summary>
    public bool FindsRepeats => Duplicates is not null;

    internal DuplicateDefinition? Duplicates { get; }

    internal EntityPlan[] Entities { get; }

    internal EntityPlan[] LabelledEntities { get; }

    internal FeatureOp[] Stateless { get; }

    internal long LabelDelayMs { get; }

    internal int RecentTransactionsMax { get; }

    internal long IdentitySeed { get; }

    /// <summary>Compiles a definition that <see cref="ServiceDefinitionReader"/> found to be good.</summary>
    /// <param name="definition">Whose features.</param>
    /// <param name="schema">Columns of the batches that will come.</param>
    /// <exception cref="ArgumentException">The definition asks for what cannot be compiled; the message names the feature and the fix.</exception>
    public static FeaturePlan Compile(ServiceDefinition definition, EventSchema schema) => new FeaturePlanCompiler(definition, schema).Compile();

    /// <summary>Memory of one key of a local entity, or of one (key, pane) of a shared one: record, links and table entries, bytes.</summary>
    /// <remarks>Times <see cref="EntityDefinition.KeysMax"/> this is the most that one partition keeps. A shared entity is held a second time, summed, once per worker.</remarks>
    public int BytesPerKey(int entityIndex)
    {
        var entity = Entities[entityIndex];
        int keyBytes = entity.KeyBytesMax + (entity.IsShared ? sizeof(long) : 0);
        return ((1 + ((keyBytes + 7) / 8) + entity.PayloadWords) * sizeof(long)) + 16 + (2 * sizeof(ulong));
    }
}
