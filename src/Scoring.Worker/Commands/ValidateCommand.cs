using System.CommandLine;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Worker.Commands;

/// <summary><c>validate</c>: everything that is wrong with a definition, at once.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var command = new Command("validate", "Checks a service definition; tells every fault with its place and the fix.");
        var file = new Argument<string>("FILE") { Description = "Service definition." };
        command.Add(file);
        command.SetAction(parsed => Run(parsed.GetValue(file)!, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string path, TextWriter output, TextWriter error)
    {
        var reading = InputFile.Read(path, "definition file", ServiceDefinitionReader.ReadFile);
        foreach (var fault in reading.Faults)
        {
            error.WriteLine($"{path}: {fault}");
        }

        if (reading.Definition is not { } definition)
        {
            error.WriteLine(FormattableString.Invariant($"{reading.Faults.Count} {(reading.Faults.Count == 1 ? "fault" : "faults")}"));
            return ExitCode.Data;
        }

        var plan = FeaturePlan.Compile(definition, new EventDecoder(definition).Schema);
        output.WriteLine(FormattableString.Invariant($"{path}: good; service {definition.Service} version {definition.Version}, {plan.FeatureCount} features, {definition.Rules.Count} rules"));
        output.WriteLine($"definition sha256 {definition.Digest}");
        output.WriteLine($"feature plan sha256 {plan.Digest}");
        for (int entity = 0; entity < plan.EntityNames.Count; entity++)
        {
            int keysMax = definition.Entities[plan.EntityNames[entity]].KeysMax;
            output.WriteLine(FormattableString.Invariant($"{plan.EntityNames[entity]}: {plan.BytesPerKey(entity)} bytes a key, at most {keysMax} keys and {(double)plan.BytesPerKey(entity) * keysMax / (1 << 20):0} MiB in a partition"));
        }

        return ExitCode.Ok;
    }
}
