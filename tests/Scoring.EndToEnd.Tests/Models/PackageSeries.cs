using Scoring.EndToEnd.Tests.Lanes;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

namespace Scoring.EndToEnd.Tests.Models;

/// <summary>Packages that follow each other: the test model, its joint log-odds moved a little further in each, so that no two give the same score.</summary>
internal sealed class PackageSeries : IDisposable
{
    private const double LogOddsStep = 0.05;

    private readonly PackageKey key;
    private readonly ModelPackage first;
    private readonly SmokeVectors smoke;

    public PackageSeries(TestModel model)
    {
        key = PackageKey.ReadPrivate(File.ReadAllText(model.SecretKeyPath));
        first = PackageVerifier.Look(File.ReadAllBytes(model.PackagePath), new VerificationPolicy { AcceptedKeys = [key] }).Package!;
        smoke = PackageJson.Read<SmokeVectors>(first.File(PackageFiles.Smoke).Span, out _)!;
    }

    /// <summary>Keys that workers accept.</summary>
    public IReadOnlyList<PackageKey> Keys => [key];

    /// <summary>The package of a place in the series, from 2; the test model itself is 1.</summary>
    public byte[] Package(int sequence, DateTimeOffset? expires = null) => Package(sequence, expires, first.File(PackageFiles.Network).ToArray());

    /// <summary>As the other, but its network looks up in a table how often the account has paid, and the table ends with the most that its smoke vectors hold: beyond it the network fails.</summary>
    public byte[] NarrowPackage(int sequence)
    {
        int feature = first.Manifest.Features.ToList().IndexOf("account_count_1d");
        float most = smoke.Rows.Max(row => float.IsNaN(row[feature]) ? 0 : row[feature]);
        return Package(sequence, expires: null, OnnxWriter.Write(TestModel.Network(first.Manifest.Features.Count, (feature, (int)most + 1))));
    }

    /// <summary>A package, verified and loaded.</summary>
    public Ensemble Load(byte[] package) => PackageVerifier.Verify(package, new VerificationPolicy { AcceptedKeys = Keys }).Ensemble!;

    public void Dispose() => key.Dispose();

    private byte[] Package(int sequence, DateTimeOffset? expires, byte[] network)
    {
        double shift = LogOddsStep * (sequence - 1);
        var manifest = first.Manifest with { Version = $"v{sequence}", Sequence = sequence, Expires = expires, Blend = first.Manifest.Blend! with { Bias = first.Manifest.Blend.Bias + shift } };
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Trees] = first.File(PackageFiles.Trees).ToArray(),
            [PackageFiles.Network] = network,
            [PackageFiles.Smoke] = PackageJson.Write(smoke with { Probabilities = [.. smoke.Probabilities.Select(p => Logistic.Probability(Logistic.LogOdds(p) + shift))] }),
        };
        return PackageWriter.Write(manifest, files, key);
    }
}
