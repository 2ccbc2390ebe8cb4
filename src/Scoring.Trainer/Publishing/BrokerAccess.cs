using Confluent.Kafka;

namespace Scoring.Trainer.Publishing;

/// <summary>How the brokers are reached, and for how long they are waited for.</summary>
/// <param name="BootstrapServers"><c>host:port</c>, separated by commas.</param>
/// <param name="Properties">Further properties of librdkafka by their own names: security, for instance.</param>
internal sealed record BrokerAccess(string BootstrapServers, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Longest wait for one answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Reads a file of <c>name=value</c> lines; empty lines and those that begin with # say nothing.</summary>
    /// <exception cref="TrainerException">It is not there, or a line is none of these.</exception>
    public static IReadOnlyDictionary<string, string> ReadProperties(string path)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such file of Kafka properties");
        }

        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new TrainerException(ExitCode.Configuration, $"{path}: a line without =; write NAME=VALUE, one a line");
            }

            properties[line[..equals].Trim()] = line[(equals + 1)..].Trim();
        }

        return properties;
    }

    /// <summary>Fills in what every client needs.</summary>
    public T Configure<T>(T config)
        where T : ClientConfig
    {
        foreach (var (name, value) in Properties)
        {
            config.Set(name, value);
        }

        config.BootstrapServers = BootstrapServers;
        config.ClientId = "fraudscoring-trainer";
        return config;
    }

    /// <summary>Says that no broker answered.</summary>
    public TrainerException NoAnswer(Error error) =>
        new(ExitCode.Unavailable, $"no answer from Kafka at {BootstrapServers} ({error.Reason}); check --bootstrap-servers");
}
