using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Commands;

/// <summary><c>topics create</c>: every topic of a service, with its settings.</summary>
internal static class TopicsCommand
{
    public static Command Create()
    {
        var command = new Command("topics", "Topics of a service.") { Creation() };
        return command;
    }

    private static Command Creation()
    {
        var command = new Command("create", "Makes the topics of a service that are not there yet; those that are stay as they are.");
        var options = SettingsOptions.AddTo(command);
        var partitions = new Option<int>("--partitions") { Description = "Partitions of every topic but that of the models, 1 to 10000.", DefaultValueFactory = _ => 12 };
        var replicas = new Option<int>("--replicas") { Description = "Copies of every partition, 1 to 9; production takes 3.", DefaultValueFactory = _ => 1 };
        command.Add(partitions);
        command.Add(replicas);
        Bound(partitions, 10_000);
        Bound(replicas, 9);
        command.SetAction(parsed =>
        {
            var settings = options.Read(parsed);
            var topics = new ServiceTopics(ModelLoader.ReadDefinition(settings.Serving.Definition));
            var clients = new KafkaClients(settings.Kafka, topics.Group, NullLogger.Instance);
            using var admin = new BrokerAdmin(clients, settings.Kafka.BootstrapServers, TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), TimeProvider.System);
            var wanted = topics.All(parsed.GetValue(partitions), parsed.GetValue(replicas));
            foreach (var (name, partitionCount, topicSettings) in wanted)
            {
                bool isNew = admin.Create(name, partitionCount, parsed.GetValue(replicas), topicSettings);
                parsed.InvocationConfiguration.Output.WriteLine(isNew
                    ? FormattableString.Invariant($"{name}: made with {partitionCount} partitions, {string.Join(", ", topicSettings.Select(setting => $"{setting.Key}={setting.Value}"))}")
                    : $"{name}: is there already");
            }

            if (admin.AwaitTopics([.. wanted.Select(topic => topic.Name)]) is { } untold) // A worker that is started next asks for them.
            {
                parsed.InvocationConfiguration.Error.WriteLine($"The broker does not tell of {untold} yet, or not to this user: a worker that is started now may not find it.");
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static void Bound(Option<int> option, int most) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is var value && (value < 1 || value > most))
        {
            result.AddError(FormattableString.Invariant($"{option.Name} is {value}; it may be 1 to {most}"));
        }
    });
}
