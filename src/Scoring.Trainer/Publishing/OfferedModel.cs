using Scoring.Models.Packaging;

namespace Scoring.Trainer.Publishing;

/// <summary>One record of a channel.</summary>
/// <param name="Partition">Where it stands.</param>
/// <param name="Offset">Where it stands.</param>
/// <param name="At">When it was written.</param>
/// <param name="Headers">What it says about itself; not to be trusted.</param>
/// <param name="Package">The signed package; null for a withdrawal.</param>
internal sealed record OfferedModel(int Partition, long Offset, DateTimeOffset At, ModelRecordHeaders Headers, byte[]? Package)
{
    /// <summary>The package, when one of the keys signed it and it is whole; loads no model.</summary>
    public PackageReading Look(IReadOnlyList<PackageKey> keys) =>
        PackageVerifier.Look(Package, new VerificationPolicy { AcceptedKeys = keys, Limits = ModelsTopic.Limits });
}
