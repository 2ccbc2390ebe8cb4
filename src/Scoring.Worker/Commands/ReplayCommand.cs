using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Commands;

/// <summary><c>replay</c>: a recorded file becomes traffic.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var command = new Command("replay", "Produces the events of a file to the transactions topic, and the outcomes they carry to the labels topic.");
        var file = new Argument<string>("FILE") { Description = "Events: .jsonl, .json or .csv, each also .gz." };
        var from = Time("--from", "Only events at or after this time (RFC 3339).");
        var to = Time("--to", "Only events before this time (RFC 3339).");
        var rate = new Option<double>("--rate") { Description = "Events a second; default: as fast as it goes.", HelpName = "N" };
        var labelDelay = new Option<double?>("--label-delay-seconds") { Description = "A label is reported this long after its event; default: labels.delay of the definition, less what shared entities need to settle and a minute, so that it is known in time.", HelpName = "N" };
        var withoutLabels = new Option<bool>("--without-labels") { Description = "Send no labels." };
        command.Add(file);
        command.Add(from);
        command.Add(to);
        command.Add(rate);
        command.Add(labelDelay);
        command.Add(withoutLabels);
        var options = SettingsOptions.AddTo(command);
        command.SetAction(async (parsed, stopping) =>
        {
            var settings = options.Read(parsed);
            string path = parsed.GetValue(file)!;
            if (!File.Exists(path))
            {
                throw new CommandFailure(ExitCode.NoInput, $"{path}: there is no such file");
            }

            var definition = ModelLoader.ReadDefinition(settings.Serving.Definition);
            var clients = new KafkaClients(settings.Kafka, new ServiceTopics(definition).Group, NullLogger.Instance);
            using (var admin = new BrokerAdmin(clients, settings.Kafka.BootstrapServers, TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), TimeProvider.System))
            {
                var topics = new ServiceTopics(definition);
                if (!admin.PartitionCounts().ContainsKey(topics.Transactions))
                {
                    throw new CommandFailure(ExitCode.Configuration, $"topic {topics.Transactions} is not there; make it with: topics create --definition {settings.Serving.Definition} --bootstrap-servers {settings.Kafka.BootstrapServers}");
                }
            }

            using var replay = new FileReplay(definition, clients, TimeProvider.System)
            {
                FromMs = parsed.GetValue(from)?.ToUnixTimeMilliseconds() ?? long.MinValue,
                ToMs = parsed.GetValue(to)?.ToUnixTimeMilliseconds() ?? long.MaxValue,
                EventsPerSecond = parsed.GetValue(rate),
                LabelDelay = parsed.GetValue(labelDelay) is { } seconds ? TimeSpan.FromSeconds(seconds) : FileReplay.LabelDelayOf(definition),
                SendsLabels = definition.Labels.Path is not null && !parsed.GetValue(withoutLabels),
            };
            await replay.RunAsync(path, parsed.InvocationConfiguration.Error, stopping);
            parsed.InvocationConfiguration.Output.WriteLine(replay.Summary);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            {
                return time;
            }

            result.AddError($"{name} is \"{result.Tokens[0].Value}\"; it may be a time such as 2018-07-25T00:00:00Z");
            return null;
        },
    };
}
