using Scoring.Models.Packaging;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>The models topic.</summary>
internal sealed class TopicChannel(ModelPublisher publisher, IReadOnlyList<PackageKey> keys) : IModelChannel
{
    /// <inheritdoc/>
    public OfferedPackage? Champion()
    {
        OfferedPackage? champion = null;
        foreach (var offer in publisher.Offers())
        {
            if (offer.Package is { } file && offer.Look(keys).Package is { } package && package.Manifest.Sequence > (champion?.Package.Manifest.Sequence ?? long.MinValue))
            {
                champion = new(file, package);
            }
        }

        return champion;
    }

    /// <inheritdoc/>
    public Publication Publish(byte[] file, ModelPackage package) => publisher.Publish(file, package);
}
