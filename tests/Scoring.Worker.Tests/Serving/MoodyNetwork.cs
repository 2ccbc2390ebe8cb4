using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Tests.Serving;

/// <summary>
/// A signed package whose network does what the amount says: below 1 it gives 0.2, below 2 it gives 0.8, below 3 no number, and from 3 on it
/// fails. All that by construction: square root of a table, at the amount's whole part.
/// </summary>
internal static class MoodyNetwork
{
    public const string Definition = """
        {
          "service": "moody",
          "events": {},
          "entities": {},
          "features": [{ "name": "paid", "aggregate": "value", "of": "amount" }]
        }
        """;

    /// <summary>What one stump says about every amount here.</summary>
    public const double TreesProbability = 0.3;

    /// <summary>The joint answer where the network gives a number: the mean of both log-odds.</summary>
    public static double Joint(double network) => Probability(0.5 * (LogOdds(TreesProbability) + LogOdds(network)));

    /// <summary>Writes definition, package and key.</summary>
    public static (string Definition, string Package, string Key) Write(string folder, bool withTrees = true)
    {
        string definition = Path.Combine(folder, "definition.json"), package = Path.Combine(folder, "model.fsmodel"), publicKey = Path.Combine(folder, "key.pem");
        File.WriteAllText(definition, Definition);
        using var key = PackageKey.Create();
        File.WriteAllText(publicKey, key.WritePublic());
        File.WriteAllBytes(package, Package(ServiceDefinitionReader.ReadFile(definition).Definition!, key, withTrees));
        return (definition, package, publicKey);
    }

    private static byte[] Package(ServiceDefinition definition, PackageKey key, bool withTrees)
    {
        var component = new ComponentManifest { Calibration = Calibration.Identity.ToManifest() };
        double[] network = [0.2, 0.8];
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [PackageFiles.Network] = OnnxWriter.Write(Network()),
            [PackageFiles.Smoke] = PackageJson.Write(new SmokeVectors
            {
                Reference = "arithmetic",
                Rows = [[0.5f], [1.5f]],
                Probabilities = [.. network.Select(p => withTrees ? Joint(p) : p)],
            }),
        };
        if (withTrees)
        {
            files[PackageFiles.Trees] = OnnxWriter.Write(OnnxTrees.Write(Stump()));
        }

        return PackageWriter.Write(
            new PackageManifest
            {
                Format = PackageManifest.FormatVersion,
                Name = "moody",
                Version = "1",
                Service = definition.Service,
                PlanDigest = FeaturePlan.Compile(definition, EventSchema.From(definition)).Digest,
                Features = [.. definition.Features.Select(feature => feature.Name)],
                Sequence = 1,
                KeyId = "",
                Producer = "test",
                Trees = withTrees ? component : null,
                Network = component,
                Blend = withTrees ? new(0, 0.5, 0.5) : null,
                Thresholds = new(0.9, 0.95, "test"),
                Files = new Dictionary<string, string>(StringComparer.Ordinal),
            },
            files,
            key);
    }

    private static OnnxModel Network() => new()
    {
        OperatorSets = [new OnnxOperatorSet("", 17)],
        Graph = new OnnxGraph
        {
            Name = "moody",
            Nodes =
            [
                new OnnxNode { Operator = "Cast", Inputs = ["features"], Outputs = ["whole"], Settings = [OnnxSetting.Of("to", (long)OnnxElementType.Int64)] },
                new OnnxNode { Operator = "Gather", Inputs = ["table", "whole"], Outputs = ["square"], Settings = [OnnxSetting.Of("axis", 0L)] },
                new OnnxNode { Operator = "Sqrt", Inputs = ["square"], Outputs = ["score"] },
            ],
            Initializers = [OnnxTensor.Of("table", (ReadOnlySpan<float>)[0.04f, 0.64f, -1f], 3)],
            Inputs = [OnnxValue.Matrix("features", 1)],
            Outputs = [OnnxValue.Matrix("score", 1)],
        },
    };

    private static TreeNodes Stump()
    {
        var builder = new TreeNodesBuilder(featureCount: 1);
        builder.BeginTree();
        int root = builder.AddBranch(TreeNodeMode.AtMost, 0, 1e6f, missing: false, cover: 100);
        int low = builder.AddLeaf((float)TreesProbability, 50);
        builder.Connect(root, low, builder.AddLeaf((float)TreesProbability, 50));
        return builder.Build();
    }

    private static double Probability(double logOdds) => 1 / (1 + Math.Exp(-logOdds));

    private static double LogOdds(double p) => Math.Log(p / (1 - p));
}
