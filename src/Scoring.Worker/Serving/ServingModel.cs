using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Events;
using Scoring.Models.Events.Scores;

namespace Scoring.Worker.Serving;

/// <summary>An ensemble and the policy compiled with its thresholds; or, without an ensemble, the rules alone. Immutable.</summary>
internal sealed class ServingModel
{
    /// <summary>Compiles the policy.</summary>
    public ServingModel(ServiceDefinition definition, EventSchema schema, Ensemble? ensemble)
    {
        Ensemble = ensemble;
        Policy = DecisionPolicy.Compile(
            definition,
            schema,
            [.. definition.Features.Select(feature => feature.Name)],
            ensemble is null ? null : new Thresholds(ensemble.Thresholds.Review, ensemble.Thresholds.Decline));
        var facts = ensemble is null ? null : new ScoreModel(ensemble.Name, ensemble.Version, ensemble.Sha256);
        Template = new ScoreTemplate(definition, definition.Digest, schema, Policy, facts);
    }

    /// <summary>The components, or null. Owned by the slot; a lane gets an instance of its own by <see cref="ModelSlot.Take"/>.</summary>
    public Ensemble? Ensemble { get; }

    /// <summary>Rules and thresholds.</summary>
    public DecisionPolicy Policy { get; }

    /// <summary>What all its scores have in common.</summary>
    public ScoreTemplate Template { get; }
}
