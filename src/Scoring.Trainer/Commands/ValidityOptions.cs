using System.CommandLine;
using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary>What people decide about a package: its name, its place in the sequence, its times.</summary>
internal sealed class ValidityOptions
{
    private readonly Option<string> name = new("--name") { Description = "name of the model; by default the service's" };
    private readonly Option<string> version = new("--model-version") { Description = "version of the model", DefaultValueFactory = _ => "1" };
    private readonly Option<long> sequence = new("--sequence") { Description = "place in the service's sequence of packages; a worker takes none below the one it has", DefaultValueFactory = _ => 1 };
    private readonly Option<DateTimeOffset?> notBefore = CommonOptions.Time("--not-before", "not to be used before");
    private readonly Option<DateTimeOffset?> expires = CommonOptions.Time("--expires", "not to be used from then on; by default it does not expire");
    private readonly Option<string> previous = new("--previous") { Description = "digest of the package that this one replaces" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { name, version, sequence, notBefore, expires, previous })
        {
            command.Add(option);
        }
    }

    public PackageAssembly.Facts Read(ParseResult parsed, ServiceDefinition service, FeaturePlan plan) => new()
    {
        Name = parsed.GetValue(name) ?? service.Service,
        Version = parsed.GetValue(version)!,
        Service = service.Service,
        PlanDigest = plan.Digest,
        Features = plan.FeatureNames,
        Sequence = parsed.GetValue(sequence),
        NotBefore = parsed.GetValue(notBefore),
        Expires = parsed.GetValue(expires),
        PreviousSha256 = parsed.GetValue(previous),
    };
}
