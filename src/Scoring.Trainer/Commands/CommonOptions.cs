using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary>Options that several verbs share, and what becomes of their values.</summary>
internal static class CommonOptions
{
    public static Option<string> Definition() => new("--definition", "-d") { Description = "service definition, a JSON file", Required = true };

    public static Option<string> History() => new("--history") { Description = "history that import has written", Required = true };

    public static Option<string> Package() => new("--package", "-p") { Description = "model package", Required = true };

    public static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true };

    public static Option<string> Key() => new("--key") { Description = "PEM file with the private key that signs; make one with: models keygen", Required = true };

    public static Option<string[]> PublicKeys() => new("--verification-key", "--public-key") { Description = "PEM files with the keys of which one must have signed the package", Required = true, AllowMultipleArgumentsPerToken = true };

    /// <summary>A time: a day (its beginning, UTC) or RFC 3339.</summary>
    public static Option<DateTimeOffset?> Time(string name, string description, bool required = false) => new(name)
    {
        Description = description + " (a day, UTC, or RFC 3339)",
        Required = required,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            {
                return time;
            }

            result.AddError($"{name} {text}: not a time; write 2018-07-25 or 2018-07-25T12:00:00Z");
            return null;
        },
    };

    /// <summary>A whole number within bounds.</summary>
    public static Option<int> Count(string name, string description, int defaultValue, int min, int max)
    {
        var option = new Option<int>(name)
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"{description}; {min} to {max}"),
            DefaultValueFactory = _ => defaultValue,
        };
        option.Validators.Add(result =>
        {
            int value = result.GetValueOrDefault<int>();
            if (value < min || value > max)
            {
                result.AddError($"{name} {value}: {min} to {max}");
            }
        });
        return option;
    }

    /// <summary>A number in (0, 1].</summary>
    public static Option<double> Share(string name, string description, double defaultValue)
    {
        var option = new Option<double>(name)
        {
            Description = description + "; above 0, at most 1",
            DefaultValueFactory = _ => defaultValue,
        };
        option.Validators.Add(result =>
        {
            double value = result.GetValueOrDefault<double>();
            if (!(value > 0 && value <= 1))
            {
                result.AddError($"{name} {value.ToString(CultureInfo.InvariantCulture)}: above 0, at most 1");
            }
        });
        return option;
    }

    /// <summary>Reads a definition; with faults, all of them are printed.</summary>
    /// <exception cref="TrainerException">The file is not there, or is not valid.</exception>
    public static ServiceDefinition ReadDefinition(string path)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such definition");
        }

        var reading = ServiceDefinitionReader.ReadFile(path);
        if (reading.Definition is { } definition && reading.Faults.Count == 0)
        {
            return definition;
        }

        foreach (var fault in reading.Faults)
        {
            Console.Error.WriteLine($"{path}: {fault.Path}: {fault.Problem}");
            Console.Error.WriteLine($"    fix: {fault.Fix}");
        }

        throw new TrainerException(ExitCode.Data, $"{path}: {reading.Faults.Count} {(reading.Faults.Count == 1 ? "fault" : "faults")}");
    }

    /// <summary>Reads a signing key.</summary>
    /// <exception cref="TrainerException">The file is not there, or holds no such key.</exception>
    public static PackageKey ReadSigningKey(string path) => ReadKey(path, PackageKey.ReadPrivate);

    /// <summary>Reads the keys of some PEM files.</summary>
    /// <exception cref="TrainerException">A file is not there, or holds no such key.</exception>
    public static IReadOnlyList<PackageKey> ReadVerificationKeys(IEnumerable<string> paths) => [.. paths.SelectMany(path => ReadKey(path, PackageKey.ReadPublic))];

    /// <summary>The ensemble of a package that fits a definition.</summary>
    /// <exception cref="TrainerException">The package is refused.</exception>
    public static Ensemble ReadEnsemble(string path, IEnumerable<string> keyPaths, ServiceDefinition definition, FeaturePlan plan)
    {
        var policy = new VerificationPolicy { AcceptedKeys = ReadVerificationKeys(keyPaths), Service = definition.Service, PlanDigest = plan.Digest };
        return PackageFile.Read(path, policy).Ensemble!;
    }

    /// <summary>A window of two times.</summary>
    /// <exception cref="TrainerException">It is empty.</exception>
    public static TimeWindow Window(DateTimeOffset from, DateTimeOffset to) => from < to
        ? new(from.ToUnixTimeMilliseconds(), to.ToUnixTimeMilliseconds())
        : throw new TrainerException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"the window from {from:O} to {to:O} is empty; --to is excluded"));

    private static T ReadKey<T>(string path, Func<string, T> read)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such key file; make keys with: models keygen");
        }

        try
        {
            return read(File.ReadAllText(path));
        }
        catch (CryptographicException e)
        {
            throw new TrainerException(ExitCode.Configuration, $"{path}: {e.Message}", e);
        }
    }
}
