using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Serving;

/// <summary>A service as it runs here: its definition and what is compiled from it. Immutable; shared by all lanes.</summary>
internal sealed class Service
{
    /// <summary>Compiles a checked definition.</summary>
    public Service(ServiceDefinition definition, ModelSlot models)
    {
        Definition = definition;
        Models = models;
        Schema = new EventDecoder(definition).Schema;
        Plan = FeaturePlan.Compile(definition, Schema);
        Topics = new ServiceTopics(definition);
    }

    /// <summary>The definition file.</summary>
    public ServiceDefinition Definition { get; }

    /// <summary>Columns of its events.</summary>
    public EventSchema Schema { get; }

    /// <summary>Its features, compiled.</summary>
    public FeaturePlan Plan { get; }

    /// <summary>Its topics.</summary>
    public ServiceTopics Topics { get; }

    /// <summary>What scores at the moment.</summary>
    public ModelSlot Models { get; }

    /// <summary>What models score on beside the processor, or null.</summary>
    public ServingDevice? Device { get; init; }
}
