using System.Security.Cryptography;
using Scoring.Models.Ensembles;
using Scoring.Models.Features;

namespace Scoring.Models.Packaging;

/// <summary>Decides whether a package may be used. Nothing in it is opened before its signature is good; nothing is written to disk.</summary>
public static class PackageVerifier
{
    private const int NameLengthMax = 64;
    private const int SmokeRowsMax = 4_096;

    /// <summary>Checks a package and loads its ensemble. Never throws on content.</summary>
    /// <param name="file">The bytes of the file or message; they must not change afterwards.</param>
    /// <param name="policy">What the package must be.</param>
    /// <remarks>
    /// 1. size; 2. signature; 3. zip limits and names; 4. manifest; 5. digests; 6. key, service, sequence, times; 7. feature plan;
    /// 8. structure of the models; 9. smoke vectors. The first that fails is the answer.
    /// </remarks>
    public static PackageReading Verify(ReadOnlyMemory<byte> file, VerificationPolicy policy)
    {
        var looked = Look(file, policy);
        if (looked.Package is not { } package)
        {
            return looked;
        }

        var ensemble = Ensemble.TryLoad(package, out var refused);
        if (ensemble is null)
        {
            return new(null, null, refused);
        }

        if (CheckSmoke(package, ensemble) is { } mismatch)
        {
            ensemble.Dispose();
            return new(null, null, mismatch);
        }

        return new(package, ensemble, null);
    }

    /// <summary>The first seven checks: who signed what, for which service and when. Loads no model.</summary>
    /// <param name="file">The bytes of the file or message; they must not change afterwards.</param>
    /// <param name="policy">What the package must be.</param>
    /// <returns>The package, without an ensemble; or why it is refused.</returns>
    public static PackageReading Look(ReadOnlyMemory<byte> file, VerificationPolicy policy)
    {
        if (file.Length > policy.Limits.FileBytesMax)
        {
            return PackageReading.Refused(PackageRefusalCode.TooLarge, $"{file.Length} bytes, at most {policy.Limits.FileBytesMax} are taken");
        }

        if (PackageContainer.TrySplit(file, out var signature, out var zip) is { } damaged)
        {
            return new(null, null, damaged);
        }

        var signer = policy.AcceptedKeys.FirstOrDefault(key => key.Verify(zip.Span, signature.Span));
        if (signer is null)
        {
            string accepted = string.Join(", ", policy.AcceptedKeys.Select(key => key.Id));
            return PackageReading.Refused(PackageRefusalCode.SignatureInvalid, $"the signature is of none of the accepted keys ({accepted}), or the content was changed after it was signed");
        }

        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        if (PackageZip.TryRead(zip, policy.Limits, files) is { } broken)
        {
            return new(null, null, broken);
        }

        if (TryReadManifest(files, out var manifest) is { } unreadable)
        {
            return new(null, null, unreadable);
        }

        var package = new ModelPackage(manifest!, Convert.ToHexStringLower(SHA256.HashData(zip.Span)), files);
        return (CheckDigests(manifest!, files) ?? CheckUse(package, policy, signer)) is { } unfit ? new(null, null, unfit) : new(package, null, null);
    }

    private static PackageRefusal? TryReadManifest(Dictionary<string, ReadOnlyMemory<byte>> files, out PackageManifest? manifest)
    {
        manifest = null;
        if (!files.TryGetValue(PackageFiles.Manifest, out var bytes))
        {
            return new(PackageRefusalCode.FileMissing, $"the package has no {PackageFiles.Manifest}");
        }

        manifest = PackageJson.Read<PackageManifest>(bytes.Span, out string problem);
        if (manifest is null)
        {
            return Invalid(problem);
        }

        if (manifest.Format != PackageManifest.FormatVersion)
        {
            return new(PackageRefusalCode.UnknownFormat, $"manifest format {manifest.Format}; this version reads format {PackageManifest.FormatVersion}");
        }

        return FindContradiction(manifest) is { } contradiction ? Invalid(contradiction) : null;

        static PackageRefusal Invalid(string problem) => new(PackageRefusalCode.ManifestInvalid, $"{PackageFiles.Manifest}: {problem}");
    }

    private static string? FindContradiction(PackageManifest manifest)
    {
        if (manifest.Name.Length is 0 or > NameLengthMax || manifest.Version.Length is 0 or > NameLengthMax)
        {
            return $"name and version have 1 to {NameLengthMax} characters";
        }

        if (manifest.Features.Count == 0 || manifest.Features.Distinct(StringComparer.Ordinal).Count() != manifest.Features.Count)
        {
            return "features is empty, or names one twice";
        }

        if (manifest.Trees is null && manifest.Network is null)
        {
            return "there is neither trees nor network: nothing to score with";
        }

        if (manifest.Blend is { } blend && !(double.IsFinite(blend.Bias) && double.IsFinite(blend.Trees) && double.IsFinite(blend.Network)))
        {
            return "a weight of the blend is not finite";
        }

        if ((manifest.Blend is not null) != (manifest.Trees is not null && manifest.Network is not null))
        {
            return "a blend is there exactly when there are two components";
        }

        if (!(manifest.Thresholds.Review >= 0 && manifest.Thresholds.Review <= manifest.Thresholds.Decline && manifest.Thresholds.Decline <= 1))
        {
            return $"thresholds {manifest.Thresholds.Review} (review) and {manifest.Thresholds.Decline} (decline): 0 <= review <= decline <= 1";
        }

        foreach (var component in new[] { manifest.Trees, manifest.Network })
        {
            try
            {
                _ = component?.Calibration.ToCalibration();
            }
            catch (ArgumentException e)
            {
                return e.Message;
            }
        }

        return null;
    }

    private static PackageRefusal? CheckDigests(PackageManifest manifest, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        List<string> needed = [PackageFiles.Smoke, .. manifest.Files.Keys];
        needed.AddRange(manifest.Trees is null ? [] : [PackageFiles.Trees]);
        needed.AddRange(manifest.Network is null ? [] : [PackageFiles.Network]);
        if (needed.Find(name => !files.ContainsKey(name)) is { } missing)
        {
            return new(PackageRefusalCode.FileMissing, $"the package has no {missing}, which its manifest needs");
        }

        foreach (var (name, content) in files)
        {
            if (string.Equals(name, PackageFiles.Manifest, StringComparison.Ordinal))
            {
                continue;
            }

            string actual = Convert.ToHexStringLower(SHA256.HashData(content.Span));
            if (!string.Equals(manifest.Files.GetValueOrDefault(name), actual, StringComparison.Ordinal))
            {
                return new(PackageRefusalCode.DigestMismatch, $"{name} has SHA-256 {actual}, the manifest says {manifest.Files.GetValueOrDefault(name, "nothing")}");
            }
        }

        return null;
    }

    private static PackageRefusal? CheckUse(ModelPackage package, VerificationPolicy policy, PackageKey signer)
    {
        var manifest = package.Manifest;
        if (!string.Equals(manifest.KeyId, signer.Id, StringComparison.Ordinal))
        {
            return new(PackageRefusalCode.KeyMismatch, $"signed by key {signer.Id}, the manifest names {manifest.KeyId}");
        }

        if (policy.Service is { } service && !string.Equals(manifest.Service, service, StringComparison.Ordinal))
        {
            return new(PackageRefusalCode.OtherService, $"the package is for service {manifest.Service}, not {service}");
        }

        if (manifest.Sequence < policy.SequenceMin)
        {
            return new(PackageRefusalCode.SequenceTooOld, $"sequence {manifest.Sequence}; {policy.SequenceMin} was taken already. To go back, sign the old model again with a higher sequence");
        }

        if (manifest.Sequence == policy.SequenceMin && policy.TakenSha256 is { } taken && !string.Equals(package.Sha256, taken, StringComparison.Ordinal))
        {
            return new(PackageRefusalCode.SequenceTooOld, $"sequence {manifest.Sequence} was taken already, by package {taken}. Sign this one with a higher sequence");
        }

        if (policy.Now is { } now && now < manifest.NotBefore)
        {
            return new(PackageRefusalCode.NotYetValid, $"not to be used before {manifest.NotBefore:O}");
        }

        if (policy.Now is { } later && later >= manifest.Expires)
        {
            return new(PackageRefusalCode.Expired, $"expired {manifest.Expires:O}");
        }

        return policy.PlanDigest is { } plan && !string.Equals(manifest.PlanDigest, plan, StringComparison.Ordinal)
            ? new(PackageRefusalCode.PlanMismatch, $"trained on feature plan {manifest.PlanDigest}, this service computes {plan}: train it again with this definition")
            : null;
    }

    private static PackageRefusal? CheckSmoke(ModelPackage package, Ensemble ensemble)
    {
        var vectors = PackageJson.Read<SmokeVectors>(package.File(PackageFiles.Smoke).Span, out string problem);
        if (vectors is null)
        {
            return Invalid(problem);
        }

        int rowCount = vectors.Rows.Count;
        if (rowCount is 0 or > SmokeRowsMax || vectors.Probabilities.Count != rowCount || vectors.Rows.Any(row => row.Count != ensemble.FeatureCount))
        {
            return Invalid($"{rowCount} rows and {vectors.Probabilities.Count} probabilities: as many of both, 1 to {SmokeRowsMax}, each row with {ensemble.FeatureCount} values");
        }

        var block = new FeatureBlock(ensemble.FeatureCount, rowCount);
        for (int row = 0; row < rowCount; row++)
        {
            for (int feature = 0; feature < ensemble.FeatureCount; feature++)
            {
                block.Set(row, feature, vectors.Rows[row][feature]);
            }
        }

        var scores = new EnsembleScores(rowCount);
        try
        {
            ensemble.Score(block, rowCount, scores);
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException e)
        {
            return new(PackageRefusalCode.SmokeMismatch, $"the model fails on its own smoke vectors: {e.Message}");
        }

        for (int row = 0; row < rowCount; row++)
        {
            // Written so that a NaN on either side fails.
            if (!(Math.Abs(scores.Probability[row] - vectors.Probabilities[row]) <= SmokeVectors.Tolerance))
            {
                return new(PackageRefusalCode.SmokeMismatch, $"smoke vector {row} gives {scores.Probability[row]:R}, {vectors.Reference} gave {vectors.Probabilities[row]:R}");
            }
        }

        return null;

        static PackageRefusal Invalid(string problem) => new(PackageRefusalCode.SmokeInvalid, $"{PackageFiles.Smoke}: {problem}");
    }
}
