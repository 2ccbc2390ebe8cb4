using Scoring.Models.Packaging;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>Where the champion comes from and promoted challengers go.</summary>
internal interface IModelChannel
{
    /// <summary>The package with the highest sequence that an accepted key has signed; null when there is none.</summary>
    OfferedPackage? Champion();

    /// <summary>Offers a package; offering the same one again changes nothing.</summary>
    Publication Publish(byte[] file, ModelPackage package);
}

/// <summary>A package with its bytes.</summary>
/// <param name="File">The bytes.</param>
/// <param name="Package">What is in them, its signature checked.</param>
internal sealed record OfferedPackage(byte[] File, ModelPackage Package);
