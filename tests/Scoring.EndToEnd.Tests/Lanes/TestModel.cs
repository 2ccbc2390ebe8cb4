using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

[assembly: AssemblyFixture(typeof(TestModel))]

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A signed package for every <see cref="TestService"/>: calibrated trees that our trainer grew on a simulated history, and a network beside them.</summary>
/// <remarks>The network is seeded, not trained: these tests ask whether its answers repeat, not whether they are good.</remarks>
public sealed class TestModel : IDisposable
{
    private const int HiddenUnits = 16;

    // Roughly one over the usual size of each feature of the service.
    private static readonly float[] Scales = [0.01f, 0.1f, 0.01f, 1e-5f, 1, 0.1f, 0.01f, 1];

    private readonly TestFolder folder = new();
    private readonly Lazy<Task> made;

    public TestModel() => made = new Lazy<Task>(MakeAsync);

    /// <summary>The package.</summary>
    public string PackagePath => folder.File("blend.fsmodel");

    /// <summary>The private key that signed it.</summary>
    public string SecretKeyPath => folder.File("signer.key.pem");

    /// <summary>The public key that checks it.</summary>
    public string KeyPath => folder.File("signer.pub.pem");

    /// <summary>Makes the package when it is first asked for.</summary>
    public Task ReadyAsync() => made.Value;

    public void Dispose() => folder.Dispose();

    private async Task MakeAsync()
    {
        string definition = folder.File("definition.json"), events = folder.File("events.jsonl"), history = folder.File("history"), trees = folder.File("trees.fsmodel"), signer = folder.File("signer");
        await File.WriteAllTextAsync(definition, TestService.Definition(new TestTopics("training", 1)));
        TestHistory.Write(events, eventCount: 6_000, seed: 99);
        await OwnProgram.TrainerAsync("models", "keygen", "--output", signer);
        await OwnProgram.TrainerAsync("import", "--definition", definition, "--input", events, "--output", history);
        await OwnProgram.TrainerAsync(
            "train", "--definition", definition, "--history", history, "--from", "2025-03-02", "--to", "2025-03-06", "--calibrate-from", "2025-03-07", "--calibrate-to", "2025-03-11",
            "--network", "off", "--trees", "40", "--leaves", "8", "--reviews-per-day", "40", "--keep-compromised", "--output", trees, "--key", signer + ".key.pem");
        using var key = PackageKey.ReadPrivate(await File.ReadAllTextAsync(signer + ".key.pem"));
        await File.WriteAllBytesAsync(PackagePath, WithNetwork(await File.ReadAllBytesAsync(trees), key));
    }

    private static byte[] WithNetwork(byte[] file, PackageKey key)
    {
        var package = PackageVerifier.Verify(file, new VerificationPolicy { AcceptedKeys = [key] }).Package!;
        var manifest = package.Manifest;
        var smoke = PackageJson.Read<SmokeVectors>(package.File(PackageFiles.Smoke).Span, out _)!;
        byte[] network = OnnxWriter.Write(Network(manifest.Features.Count));
        var blend = new Blend(0.1, 0.6, 0.4);
        using var reference = NeuralNetwork.Create(OnnxCheck.Check(network, out _)!, out _)!;
        var outputs = new double[smoke.Rows.Count];
        reference.Score([.. smoke.Rows.SelectMany(row => row)], outputs.Length, outputs);
        double[] joint = [.. outputs.Select((output, row) => Logistic.Probability(blend.LogOdds(Logistic.LogOdds(smoke.Probabilities[row]), Logistic.LogOdds(output))))];
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Trees] = package.File(PackageFiles.Trees).ToArray(),
            [PackageFiles.Network] = network,
            [PackageFiles.Smoke] = PackageJson.Write(smoke with { Probabilities = joint }),
        };
        return PackageWriter.Write(
            manifest with { Network = new() { Calibration = Calibration.Identity.ToManifest() }, Blend = new(blend.Bias, blend.TreesWeight, blend.NetworkWeight) },
            files,
            key);
    }

    /// <summary>Two layers; a missing value counts as 0.</summary>
    /// <param name="featureCount">Features.</param>
    /// <param name="table">A feature that is looked up in a table of so many rows too, all of them 0; beyond its end the network fails.</param>
    internal static OnnxModel Network(int featureCount, (int Feature, int RowCount)? table = null)
    {
        Assert.Equal(Scales.Length, featureCount);
        var random = new Random(7);
        return new OnnxModel
        {
            OperatorSets = [new OnnxOperatorSet("", 17)],
            Graph = new OnnxGraph
            {
                Name = "seeded",
                Nodes =
                [
                    new OnnxNode { Operator = "Equal", Inputs = ["features", "features"], Outputs = ["there"] },
                    new OnnxNode { Operator = "Where", Inputs = ["there", "features", "zero"], Outputs = ["known"] },
                    new OnnxNode { Operator = "Mul", Inputs = ["known", "scales"], Outputs = ["scaled"] },
                    new OnnxNode { Operator = "MatMul", Inputs = ["scaled", "first"], Outputs = ["mixed"] },
                    new OnnxNode { Operator = "Tanh", Inputs = ["mixed"], Outputs = ["hidden"] },
                    new OnnxNode { Operator = "MatMul", Inputs = ["hidden", "second"], Outputs = [table is null ? "sum" : "plain"] },
                    .. LookUp(),
                    new OnnxNode { Operator = "Sigmoid", Inputs = ["sum"], Outputs = ["score"] },
                ],
                Initializers =
                [
                    OnnxTensor.Of("zero", (ReadOnlySpan<float>)[0f], 1),
                    OnnxTensor.Of("scales", Scales, featureCount),
                    OnnxTensor.Of("first", Weights(featureCount * HiddenUnits), featureCount, HiddenUnits),
                    OnnxTensor.Of("second", Weights(HiddenUnits), HiddenUnits, 1),
                    .. Tables(),
                ],
                Inputs = [OnnxValue.Matrix("features", featureCount)],
                Outputs = [OnnxValue.Matrix("score", 1)],
            },
        };

        IEnumerable<OnnxNode> LookUp() => table is null
            ? []
            :
            [
                new OnnxNode { Operator = "Gather", Inputs = ["known", "column"], Outputs = ["one"], Settings = [OnnxSetting.Of("axis", 1L)] },
                new OnnxNode { Operator = "Cast", Inputs = ["one"], Outputs = ["place"], Settings = [OnnxSetting.Of("to", (long)OnnxElementType.Int64)] },
                new OnnxNode { Operator = "Gather", Inputs = ["table", "place"], Outputs = ["looked_up"], Settings = [OnnxSetting.Of("axis", 0L)] },
                new OnnxNode { Operator = "Add", Inputs = ["plain", "looked_up"], Outputs = ["sum"] },
            ];

        IEnumerable<OnnxTensor> Tables() => table is not { } looked
            ? []
            : [OnnxTensor.Of("column", (ReadOnlySpan<long>)[looked.Feature], 1), OnnxTensor.Of("table", new float[looked.RowCount], looked.RowCount)];

        float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }
}
