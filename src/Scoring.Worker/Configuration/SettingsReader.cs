using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Scoring.Models.Ensembles.Devices;

namespace Scoring.Worker.Configuration;

/// <summary>Reads settings out of a configuration and says everything that is wrong with them, one line each.</summary>
/// <remarks>Sources, later ones win: <c>appsettings.json</c> of the working directory, <c>--config</c>, environment (<c>Kafka__BootstrapServers</c>), command line.</remarks>
internal sealed class SettingsReader
{
    /// <summary>Properties of librdkafka that delivery and order rest on: refused in <c>Kafka:Client</c>.</summary>
    private static readonly string[] OurProperties =
    [
        "bootstrap.servers", "group.id", "group.instance.id", "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset",
        "isolation.level", "enable.idempotence", "acks", "enable.partition.eof", "partitioner", "transactional.id",
        "message.timeout.ms", "delivery.timeout.ms", "delivery.report.only.error", "transaction.timeout.ms", "retry.backoff.ms",
    ];

    private const int TransactionMsMax = 5_000;

    private readonly IConfiguration configuration;
    private readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> faults = [];

    private SettingsReader(IConfiguration configuration) => this.configuration = configuration;

    /// <summary>Reads and checks all settings.</summary>
    /// <param name="configuration">The joined sources.</param>
    /// <param name="faults">One line for each wrong setting: which, what it was, what it may be. Empty when all is well.</param>
    public static WorkerSettings Read(IConfiguration configuration, out IReadOnlyList<string> faults)
    {
        var reader = new SettingsReader(configuration);
        var settings = new WorkerSettings
        {
            Kafka = reader.Kafka(),
            Lanes = reader.Lanes(),
            Operations = reader.Operations(),
            Serving = reader.Serving(),
            Aggregates = reader.Aggregates(),
        };
        reader.RefuseLongTransactions(settings);
        reader.RefuseCheckpointDirectory(settings);
        reader.RefuseCrashDirectory(settings);
        reader.RefuseUnknown();
        faults = reader.faults;
        return settings;
    }

    private KafkaOptions Kafka()
    {
        var defaults = new KafkaOptions();
        var client = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Values("Kafka:Client"))
        {
            if (OurProperties.Contains(name, StringComparer.Ordinal))
            {
                faults.Add($"Kafka:Client:{name} is set; delivery and order rest on it, so it is not yours to set");
            }
            else if (name is "enable.ssl.certificate.verification" && value.Equals("false", StringComparison.OrdinalIgnoreCase))
            {
                faults.Add($"Kafka:Client:{name} is false; certificates are always verified, give the authority by ssl.ca.location");
            }
            else
            {
                client[name] = value;
            }
        }

        string servers = Text("Kafka:BootstrapServers") ?? defaults.BootstrapServers;
        if (servers.Split(',').Any(server => !IsHostAndPort(server.Trim())))
        {
            Fault("Kafka:BootstrapServers", servers, "host:port, several separated by commas");
        }

        return defaults with
        {
            BootstrapServers = servers,
            Group = Text("Kafka:Group"),
            InstanceId = Text("Kafka:InstanceId"),
            From = OneOf("Kafka:From", defaults.From, "earliest", "latest"),
            Delivery = OneOf("Kafka:Delivery", defaults.Delivery, KafkaOptions.ExactlyOnce, KafkaOptions.AtLeastOnce),
            StartTimeoutSeconds = Integer("Kafka:StartTimeoutSeconds", defaults.StartTimeoutSeconds, 1, 600),
            Client = client,
        };
    }

    private LaneOptions Lanes()
    {
        var defaults = new LaneOptions();
        return new LaneOptions
        {
            Lanes = Integer("Lanes:Lanes", defaults.Lanes, 1, 256),
            RowsMax = Integer("Lanes:RowsMax", defaults.RowsMax, 1, 4_096),
            CommitIntervalMs = Integer("Lanes:CommitIntervalMs", defaults.CommitIntervalMs, 5, 60_000),
            StateIntervalMs = Integer("Lanes:StateIntervalMs", defaults.StateIntervalMs, 50, 60_000),
            CheckpointDirectory = Text("Lanes:CheckpointDirectory"),
            CrashDirectory = Text("Lanes:CrashDirectory"),
            InFlightMax = Integer("Lanes:InFlightMax", defaults.InFlightMax, 1_000, 1_000_000),
            StagedRowsMax = Integer("Lanes:StagedRowsMax", defaults.StagedRowsMax, 256, 65_536),
            RefusedBytesMax = Integer("Lanes:RefusedBytesMax", defaults.RefusedBytesMax, 100_000, 1_000_000_000),
            EmitFeatures = Boolean("Lanes:EmitFeatures", defaults.EmitFeatures),
        };
    }

    private OperationsOptions Operations()
    {
        var defaults = new OperationsOptions();
        var http = defaults.Http;
        if (Text("Operations:Http") is { } text)
        {
            string address = text.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase);
            if (!address.Contains(':', StringComparison.Ordinal) || !IPEndPoint.TryParse(address, out var parsed))
            {
                Fault("Operations:Http", text, "an address and a port, such as 127.0.0.1:9464 or 0.0.0.0:9464");
            }
            else
            {
                http = parsed;
            }
        }

        return new OperationsOptions { Http = http, JsonLogs = Boolean("Operations:JsonLogs", defaults.JsonLogs) };
    }

    private ServingOptions Serving()
    {
        var defaults = new ServingOptions();
        return new ServingOptions
        {
            Definition = Text("Serving:Definition"),
            Package = Text("Serving:Package"),
            VerificationKeys = [.. Values("Serving:VerificationKeys").OrderBy(pair => pair.Name, StringComparer.Ordinal).Select(pair => pair.Value)],
            SequenceMin = Integer("Serving:SequenceMin", defaults.SequenceMin, 0, long.MaxValue),
            SequenceFile = Text("Serving:SequenceFile"),
            WithoutModel = Boolean("Serving:WithoutModel", defaults.WithoutModel),
            NetworkTimeoutMs = Integer("Serving:NetworkTimeoutMs", defaults.NetworkTimeoutMs, 1, 10_000),
            ExecutionProvider = OneOf("Serving:ExecutionProvider", defaults.ExecutionProvider, "cpu", "cuda", "auto"),
            ExecutionProviderLibrary = Text("Serving:ExecutionProviderLibrary"),
            DeviceId = Integer("Serving:DeviceId", defaults.DeviceId, 0, 63),
            Device = new DeviceOptions
            {
                RowsMin = Integer("Serving:DeviceRowsMin", defaults.Device.RowsMin, 1, 4_096),
                RowsMax = Integer("Serving:DeviceRowsMax", defaults.Device.RowsMax, 16, 4_096),
                LingerMs = Integer("Serving:DeviceLingerMs", defaults.Device.LingerMs, 0, 1),
                TimeoutMs = Integer("Serving:DeviceTimeoutMs", defaults.Device.TimeoutMs, 1, 10_000),
            },
        };
    }

    private AggregatesOptions Aggregates()
    {
        var defaults = new AggregatesOptions();
        return new AggregatesOptions
        {
            PublishIntervalMs = Integer("Aggregates:PublishIntervalMs", defaults.PublishIntervalMs, 50, 10_000),
            WaitSecondsMax = Integer("Aggregates:WaitSecondsMax", defaults.WaitSecondsMax, 1, 3_600),
            LiveSeconds = Integer("Aggregates:LiveSeconds", defaults.LiveSeconds, 0, 86_400),
        };
    }

    private string? Text(string path)
    {
        known.Add(path);
        string? value = configuration[path];
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    private int Integer(string path, int byDefault, int least, int most) => (int)Integer(path, (long)byDefault, least, most);

    private long Integer(string path, long byDefault, long least, long most)
    {
        if (Text(path) is not { } text)
        {
            return byDefault;
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most)
        {
            return value;
        }

        Fault(path, text, $"a whole number from {least} to {most}");
        return byDefault;
    }

    private bool Boolean(string path, bool byDefault) =>
        Text(path) is null ? byDefault : string.Equals(OneOf(path, "false", "true", "false"), "true", StringComparison.Ordinal);

    private string OneOf(string path, string byDefault, params string[] values)
    {
        if (Text(path) is not { } text)
        {
            return byDefault;
        }

        foreach (string value in values)
        {
            if (value.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        Fault(path, text, string.Join(" or ", values));
        return byDefault;
    }

    /// <summary>The values under a section whose member names are free (and may hold dots).</summary>
    private IEnumerable<(string Name, string Value)> Values(string path)
    {
        foreach (var child in configuration.GetSection(path).GetChildren())
        {
            known.Add(child.Path);
            if (child.Value is { Length: > 0 } value)
            {
                yield return (child.Key, value);
            }
        }
    }

    private void RefuseLongTransactions(WorkerSettings settings)
    {
        if (settings.Kafka.IsExactlyOnce && settings.Lanes.CommitIntervalMs > TransactionMsMax)
        {
            Fault("Lanes:CommitIntervalMs", settings.Lanes.CommitIntervalMs.ToString(CultureInfo.InvariantCulture), $"at most {TransactionMsMax} with Kafka:Delivery {KafkaOptions.ExactlyOnce}: a broker ends transactions that stay open for 10 s");
        }
    }

    private void RefuseCheckpointDirectory(WorkerSettings settings)
    {
        if (settings.Lanes.CheckpointDirectory is not { } directory)
        {
            return;
        }

        if (!settings.Kafka.IsExactlyOnce)
        {
            Fault("Lanes:CheckpointDirectory", directory, $"not set with Kafka:Delivery {settings.Kafka.Delivery}: there state is rebuilt from the input");
        }
        else if (!Directory.Exists(directory))
        {
            Fault("Lanes:CheckpointDirectory", directory, "a folder that exists");
        }
    }

    private void RefuseCrashDirectory(WorkerSettings settings)
    {
        if (settings.Lanes.CrashDirectory is { } directory && !Directory.Exists(directory))
        {
            Fault("Lanes:CrashDirectory", directory, "a folder that exists");
        }
    }

    private void RefuseUnknown()
    {
        foreach (string section in new[] { "Kafka", "Lanes", "Operations", "Serving", "Aggregates" })
        {
            foreach (var (path, value) in configuration.GetSection(section).AsEnumerable())
            {
                if (value is not null && !known.Contains(path))
                {
                    string near = known.Where(name => name.StartsWith(section, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).Aggregate("", (all, name) => all.Length == 0 ? name : $"{all}, {name}");
                    faults.Add($"{path} is no setting; section {section} has {near}");
                }
            }
        }
    }

    private void Fault(string path, string was, string mayBe) =>
        faults.Add($"{path} (environment: {path.Replace(":", "__", StringComparison.Ordinal)}) is \"{was}\"; it may be {mayBe}");

    private static bool IsHostAndPort(string server)
    {
        int colon = server.LastIndexOf(':');
        return colon > 0 && int.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65_535;
    }
}
