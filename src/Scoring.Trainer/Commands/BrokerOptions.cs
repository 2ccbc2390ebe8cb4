using System.CommandLine;
using Scoring.Models.Definitions;
using Scoring.Models.Packaging;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Commands;

/// <summary>What every verb that reaches the models topic asks for: brokers, the definition that names topic and channel, accepted keys.</summary>
internal sealed class BrokerOptions
{
    private readonly Option<string> definition = CommonOptions.Definition();
    private readonly Option<string[]> keys = CommonOptions.PublicKeys();
    private readonly Option<string> servers = new("--bootstrap-servers") { Description = "brokers as host:port, separated by commas", DefaultValueFactory = _ => "localhost:9092" };
    private readonly Option<string> properties = new("--kafka-config") { Description = "file of further client properties, NAME=VALUE, one a line (security.protocol, sasl.username, ...)" };

    /// <summary>Adds them to a verb.</summary>
    public Command AddTo(Command command)
    {
        foreach (var option in new Option[] { definition, servers, properties, keys })
        {
            command.Add(option);
        }

        return command;
    }

    /// <summary>The service.</summary>
    public ServiceDefinition Definition(ParseResult parsed) => CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));

    /// <summary>Keys of which one must have signed.</summary>
    public IReadOnlyList<PackageKey> Keys(ParseResult parsed) => CommonOptions.ReadVerificationKeys(parsed.GetRequiredValue(keys));

    /// <summary>How the brokers are reached.</summary>
    public BrokerAccess Access(ParseResult parsed) =>
        new(parsed.GetValue(servers)!, parsed.GetValue(properties) is { } path ? BrokerAccess.ReadProperties(path) : new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>A publisher for the service's channel.</summary>
    public ModelPublisher Publisher(ParseResult parsed, ServiceDefinition service) => new(Access(parsed), ModelChannel.Of(service), Keys(parsed), TimeProvider.System);
}
