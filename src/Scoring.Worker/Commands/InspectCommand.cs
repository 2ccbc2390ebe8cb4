using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Commands;

/// <summary><c>inspect</c>: what would run here: settings without secrets, the definition, the package.</summary>
internal static class InspectCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private static readonly string[] SecretParts = ["password", "secret", "key", "token", "jaas", "pem", "oauthbearer.config", "credential"];

    public static Command Create()
    {
        var command = new Command("inspect", "Shows as JSON what would run: effective settings (secrets redacted), definition, model package.");
        var options = SettingsOptions.AddTo(command).AddServing(command).AddRunning(command);
        command.SetAction(parsed =>
        {
            var settings = options.Read(parsed);
            OnnxRuntimeEnvironment.EnsureQuiet();
            var service = settings.Serving.Definition is null ? null : new Service(ModelLoader.ReadDefinition(settings.Serving.Definition), new ModelSlot());
            var shown = new
            {
                build = new { Build.Version, Build.Commit },
                settings = Shown(settings),
                definition = service is null ? null : Shown(service, settings),
                package = settings.Serving.Package is null ? null : Shown(settings.Serving, service),
            };
            parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(shown, Json));
            return ExitCode.Ok;
        });
        return command;
    }

    private static object Shown(WorkerSettings settings) => new
    {
        kafka = settings.Kafka with { Client = settings.Kafka.Client.ToDictionary(pair => pair.Key, pair => IsSecret(pair.Key) ? "(redacted)" : pair.Value, StringComparer.Ordinal) },
        settings.Lanes,
        operations = new { http = settings.Operations.Http.ToString(), settings.Operations.JsonLogs },
        settings.Serving,
        settings.Aggregates,
    };

    private static object Shown(Service service, WorkerSettings settings) => new
    {
        service.Definition.Service,
        service.Definition.Version,
        sha256 = service.Definition.Digest,
        plan_sha256 = service.Plan.Digest,
        features = service.Plan.FeatureNames,
        entities = service.Plan.EntityNames,
        rules = service.Definition.Rules.Select(rule => rule.Name),
        group = settings.Kafka.Group ?? service.Topics.Group,
        topics = new
        {
            service.Topics.Transactions,
            labels = service.Plan.HasLabels ? service.Topics.Labels : null,
            service.Topics.Scores,
            service.Topics.Alerts,
            service.Topics.DeadLetters,
            aggregates = service.Plan.HasShared ? service.Topics.Aggregates : null,
            service.Topics.Models,
            service.Topics.ModelsKey,
        },
        retention_must_cover_days = service.Topics.LongestSpan.TotalDays,
    };

    private static object Shown(ServingOptions serving, Service? service)
    {
        var reading = ModelLoader.Verify(serving.Package!, new VerificationPolicy
        {
            AcceptedKeys = ModelLoader.ReadKeys(serving.VerificationKeys),
            Service = service?.Definition.Service,
            PlanDigest = service?.Plan.Digest,
            SequenceMin = serving.SequenceMin,
            Now = TimeProvider.System.GetUtcNow(),
        });
        using (reading.Ensemble)
        {
            return new { reading.Package?.Sha256, reading.Package?.Manifest, reading.Refusal };
        }
    }

    /// <summary>Whether a property of librdkafka may hold a secret: everything that is not plainly none.</summary>
    private static bool IsSecret(string name) =>
        SecretParts.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));
}
