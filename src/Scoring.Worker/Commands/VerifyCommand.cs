using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Models.Packaging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;
using Scoring.Worker.Verification;

namespace Scoring.Worker.Commands;

/// <summary><c>verify</c>: whether every transaction was answered once, and rightly.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var command = new Command("verify", "Reads a service's topics and says whether each transaction was answered once, in order, and by what its input says. Stops nothing, writes nothing. Ends with 65 when a line is not 0.");
        var options = SettingsOptions.AddTo(command).AddGroup(command).AddPackage(command);
        var duplicates = new Option<bool>("--allow-duplicates") { Description = "The worker publishes at least once: the same answer twice, and answers ahead of the commit, are right." };
        var wait = new Option<int>("--wait-seconds") { Description = "Longest to wait for Kafka transactions that are open, 0 to 3600.", DefaultValueFactory = _ => 30, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print the report as JSON." };
        command.Add(duplicates);
        command.Add(wait);
        command.Add(json);
        wait.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is < 0 or > 3_600)
            {
                result.AddError("--wait-seconds may be 0 to 3600");
            }
        });
        command.SetAction(async (parsed, stopping) =>
        {
            var settings = options.Read(parsed);
            var service = new Service(ModelLoader.ReadDefinition(settings.Serving.Definition), new ModelSlot());
            var findings = new Findings();
            using var package = settings.Serving.Package is { } path ? new PackageOracle(Look(path, settings.Serving, service), findings) : null;
            string group = settings.Kafka.Group ?? service.Topics.Group;
            var clients = new KafkaClients(settings.Kafka, group, NullLogger.Instance);
            using var broker = new BrokerAdmin(clients, settings.Kafka.BootstrapServers, TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), TimeProvider.System, stopping);
            var topics = TopicCheck.Check(broker.PartitionCounts(), service, settings, NullLogger.Instance);
            var how = new VerificationOptions { Group = group, AllowsDuplicates = parsed.GetValue(duplicates), Wait = TimeSpan.FromSeconds(parsed.GetValue(wait)), ReadsLabels = topics.HasLabels };
            var cluster = new ClusterReader(clients, broker, TimeProvider.System, how.Wait, parsed.InvocationConfiguration.Error);
            var report = await RunAsync(new Verifier(service, cluster, topics.PartitionCount, how, package, findings), stopping);
            if (parsed.GetValue(json))
            {
                report.WriteJson(parsed.InvocationConfiguration.Output);
            }
            else
            {
                report.Write(parsed.InvocationConfiguration.Output);
            }

            return findings.IsEmpty ? ExitCode.Ok : ExitCode.Data;
        });
        return command;
    }

    // Told to stop, a service ends well; a verification that was not finished has found nothing, and must not look as if it had.
    private static async Task<VerificationReport> RunAsync(Verifier verifier, CancellationToken stopping)
    {
        try
        {
            return await verifier.RunAsync(stopping);
        }
        catch (OperationCanceledException interrupted)
        {
            throw new CommandFailure(ExitCode.Unavailable, "interrupted: nothing is verified", interrupted);
        }
    }

    // Whether it is out of date does not matter: what it scored it scored.
    private static ModelPackage Look(string path, ServingOptions serving, Service service)
    {
        var policy = new VerificationPolicy { AcceptedKeys = ModelLoader.ReadKeys(serving.VerificationKeys), Service = service.Definition.Service, PlanDigest = service.Plan.Digest };
        var reading = PackageVerifier.Look(InputFile.Read(path, "package", File.ReadAllBytes), policy);
        return reading.Package ?? throw new CommandFailure(ExitCode.Data, $"{path}: refused ({reading.Refusal!.Code}): {reading.Refusal.Sentence}");
    }
}
