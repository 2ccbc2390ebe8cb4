using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Scoring.Worker.Configuration;

namespace Scoring.Worker.Commands;

/// <summary>The command line's way to set what the environment and <c>appsettings.json</c> can set too; it wins over both.</summary>
internal sealed class SettingsOptions
{
    private readonly Option<FileInfo?> config = new("--config") { Description = "Settings file beside appsettings.json; it wins over that one." };
    private readonly Option<string[]> set = new("--set") { Description = "Any setting: --set Lanes:CommitIntervalMs=50", HelpName = "SECTION:NAME=VALUE" };
    private readonly Option<string[]> keys = new("--verification-key") { Description = "Public key (PEM) that may have signed the package; several may be given.", HelpName = "FILE" };
    private readonly Option<bool> withoutModel = new("--without-model") { Description = "Score by rules alone where no package is given or it is refused." };
    private readonly Option<string> emit = new("--emit") { Description = "features: every score carries its feature vector." };
    private readonly List<(Option<string> Option, string Path)> singles = [];

    private SettingsOptions()
    {
    }

    /// <summary>Adds the options that reach Kafka and name the definition.</summary>
    public static SettingsOptions AddTo(Command command)
    {
        var options = new SettingsOptions();
        options.Single(command, "--definition", "Serving:Definition", "Service definition.", "FILE");
        options.Single(command, "--bootstrap-servers", "Kafka:BootstrapServers", "Brokers as host:port, separated by commas.", "SERVERS");
        command.Add(options.config);
        command.Add(options.set);
        return options;
    }

    /// <summary>Adds the options that say what scores and how.</summary>
    public SettingsOptions AddServing(Command command)
    {
        AddPackage(command);
        Single(command, "--sequence-min", "Serving:SequenceMin", "Lowest sequence of a package that is taken: an older one is refused.", "N");
        command.Add(withoutModel);
        emit.AcceptOnlyFromAmong("features");
        command.Add(emit);
        Single(command, "--rows-max", "Lanes:RowsMax", "Most rows scored at once; changes no result.", "N");
        return this;
    }

    /// <summary>Adds the options that name a model package and who may have signed it.</summary>
    public SettingsOptions AddPackage(Command command)
    {
        Single(command, "--package", "Serving:Package", "Model package.", "FILE");
        command.Add(keys);
        return this;
    }

    /// <summary>Adds the option that names the consumer group.</summary>
    public SettingsOptions AddGroup(Command command)
    {
        Single(command, "--group", "Kafka:Group", "Consumer group.", "NAME");
        return this;
    }

    /// <summary>Adds the options of a running worker.</summary>
    public SettingsOptions AddRunning(Command command)
    {
        AddGroup(command);
        Single(command, "--from", "Kafka:From", "Where a new group starts: earliest scores what is retained, latest takes it as history.", "earliest|latest");
        Single(command, "--lanes", "Lanes:Lanes", "Threads that own partitions.", "N");
        return AddAddress(command);
    }

    /// <summary>Adds the option that says where a worker answers.</summary>
    public SettingsOptions AddAddress(Command command)
    {
        Single(command, "--http", "Operations:Http", "Where metrics and health answer.", "ADDRESS:PORT");
        return this;
    }

    // Section__Name, as .NET has it. A variable named KAFKA or SERVING alone is somebody else's.
    private static IEnumerable<KeyValuePair<string, string?>> FromEnvironment() =>
        from variable in Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
        let name = (string)variable.Key
        where name.Contains("__", StringComparison.Ordinal)
        select KeyValuePair.Create(name.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)variable.Value);

    /// <summary>Joins all sources and checks every setting.</summary>
    /// <exception cref="CommandFailure">One line for each wrong setting.</exception>
    public WorkerSettings Read(ParseResult parsed)
    {
        var builder = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true);
        if (parsed.GetValue(config) is { } file)
        {
            if (!file.Exists)
            {
                throw new CommandFailure(ExitCode.NoInput, $"{file.FullName}: there is no such settings file");
            }

            builder.AddJsonFile(file.FullName, optional: false);
        }

        builder.AddInMemoryCollection(FromEnvironment());
        builder.AddInMemoryCollection(FromCommandLine(parsed));
        IConfiguration configuration;
        try
        {
            configuration = builder.Build();
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or FormatException)
        {
            throw new CommandFailure(ExitCode.Configuration, $"{unreadable.Message} {unreadable.InnerException?.Message}".Trim(), unreadable);
        }

        var settings = SettingsReader.Read(configuration, out var faults);
        return faults.Count == 0 ? settings : throw new CommandFailure(ExitCode.Configuration, string.Join('\n', faults));
    }

    private Dictionary<string, string?> FromCommandLine(ParseResult parsed)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (option, path) in singles)
        {
            if (parsed.GetValue(option) is { } value)
            {
                values[path] = value;
            }
        }

        string[] keyPaths = parsed.GetValue(keys) ?? [];
        for (int i = 0; i < keyPaths.Length; i++)
        {
            values[string.Create(CultureInfo.InvariantCulture, $"Serving:VerificationKeys:{i}")] = keyPaths[i];
        }

        if (parsed.GetValue(withoutModel))
        {
            values["Serving:WithoutModel"] = "true";
        }

        if (parsed.GetValue(emit) is not null)
        {
            values["Lanes:EmitFeatures"] = "true";
        }

        foreach (string pair in parsed.GetValue(set) ?? [])
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new CommandFailure(ExitCode.Usage, $"--set {pair}: write SECTION:NAME=VALUE");
            }

            values[pair[..equals]] = pair[(equals + 1)..];
        }

        return values;
    }

    private void Single(Command command, string name, string path, string description, string helpName)
    {
        var option = new Option<string>(name) { Description = description, HelpName = helpName };
        command.Add(option);
        singles.Add((option, path));
    }
}
