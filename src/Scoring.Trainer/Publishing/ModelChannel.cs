using Scoring.Models.Definitions;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Publishing;

/// <summary>Where a service's packages are offered: a topic and the key of its records.</summary>
/// <param name="Topic">The models topic.</param>
/// <param name="Key">Service and channel, see <see cref="ModelsTopic.Key"/>.</param>
internal sealed record ModelChannel(string Topic, string Key)
{
    /// <summary>The channel of a definition.</summary>
    public static ModelChannel Of(ServiceDefinition definition) =>
        new(definition.Topics.Models, ModelsTopic.Key(definition.Service, definition.Model.Channel));
}
