using Scoring.Models.Ensembles;

namespace Scoring.Models.Packaging;

/// <summary>What came of looking at a package: a package and its loaded ensemble, or a refusal.</summary>
/// <param name="Package">The package; null when it was refused.</param>
/// <param name="Ensemble">Its ensemble, which has reproduced the smoke vectors and is ready to score; null when it was refused, or only looked at.</param>
/// <param name="Refusal">Why it was refused; null when it was not.</param>
public sealed record PackageReading(ModelPackage? Package, Ensemble? Ensemble, PackageRefusal? Refusal)
{
    internal static PackageReading Refused(PackageRefusalCode code, string sentence) => new(null, null, new(code, sentence));
}
