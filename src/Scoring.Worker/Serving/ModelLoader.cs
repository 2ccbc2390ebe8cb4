using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Scoring.Models.Definitions;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>Reads definitions and model packages from files and says in one line why one is not taken.</summary>
internal static class ModelLoader
{
    /// <summary>Reads and checks a definition file.</summary>
    /// <exception cref="CommandFailure">It is not there, or has faults: all of them, a line each.</exception>
    public static ServiceDefinition ReadDefinition(string? path)
    {
        if (path is null)
        {
            throw new CommandFailure(ExitCode.Configuration, "Serving:Definition (environment: Serving__Definition, command line: --definition) is not set; it may be the path of a service definition");
        }

        var reading = InputFile.Read(path, "definition file", ServiceDefinitionReader.ReadFile);
        return reading.Definition ?? throw new CommandFailure(ExitCode.Data, string.Join('\n', reading.Faults.Select(fault => $"{path}: {fault}")));
    }

    /// <summary>Loads, verifies and puts into the slot what the settings name.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="service">Has the slot.</param>
    /// <param name="clock">Tells whether a package is valid now.</param>
    /// <param name="metrics">Tell what scores.</param>
    /// <param name="logger">Tells it too.</param>
    /// <param name="elsewhere">What was looked at beside the package, to go on with "no package is given"; empty when nothing was.</param>
    /// <exception cref="CommandFailure">There is no usable package and scoring by rules alone is not allowed.</exception>
    public static void Load(ServingOptions options, Service service, TimeProvider clock, WorkerMetrics metrics, ILogger logger, string elsewhere = "")
    {
        var ensemble = options.Package is null ? None(options, "no package is given" + elsewhere, ExitCode.Configuration, logger) : Verified(options, service, clock, logger);
        if (ensemble is not null)
        {
            Serve(service, ensemble, clock, metrics, logger);
            return;
        }

        service.Models.Swap(new ServingModel(service.Definition, service.Schema, null));
        metrics.ModelLoaded.Set(0);
    }

    /// <summary>Lets a verified ensemble score from the next micro-batch of each lane on.</summary>
    public static void Serve(Service service, Ensemble ensemble, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        service.Models.Swap(new ServingModel(service.Definition, service.Schema, ensemble));
        metrics.TellModel(ensemble.Package, clock.GetUtcNow());
        LogMessages.ModelServing(logger, ensemble.Name, ensemble.Version, ensemble.Sha256, ensemble.Package.Manifest.Sequence);
    }

    /// <summary>Reads the public keys that may have signed.</summary>
    public static List<PackageKey> ReadKeys(IReadOnlyList<string> paths)
    {
        var keys = new List<PackageKey>();
        foreach (string path in paths)
        {
            try
            {
                keys.AddRange(PackageKey.ReadPublic(InputFile.Read(path, "public key (Serving:VerificationKeys)", File.ReadAllText)));
            }
            catch (CryptographicException unusable)
            {
                throw new CommandFailure(ExitCode.Configuration, $"Serving:VerificationKeys names {path}: {unusable.Message}", unusable);
            }
        }

        return keys;
    }

    /// <summary>Reads and verifies a package; one that is too large is not read at all.</summary>
    /// <exception cref="CommandFailure">It is not there or cannot be read.</exception>
    public static PackageReading Verify(string path, VerificationPolicy policy)
    {
        var content = InputFile.Read(path, "package", file =>
        {
            using var stream = File.OpenRead(file);
            if (stream.Length > policy.Limits.FileBytesMax)
            {
                throw new CommandFailure(ExitCode.Data, FormattableString.Invariant($"{file}: the package has {stream.Length} bytes, at most {policy.Limits.FileBytesMax} are taken"));
            }

            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        });
        return PackageVerifier.Verify(content, policy);
    }

    private static Ensemble? Verified(ServingOptions options, Service service, TimeProvider clock, ILogger logger)
    {
        string path = options.Package!;
        if (!File.Exists(path))
        {
            return None(options, $"{path}: there is no such package", ExitCode.NoInput, logger);
        }

        if (options.VerificationKeys.Count == 0)
        {
            return None(options, "Serving:VerificationKeys (command line: --verification-key) is empty; it may be paths of public keys (PEM), one of which signed the package", ExitCode.Configuration, logger);
        }

        OnnxRuntimeEnvironment.EnsureQuiet(); // Before anything of the library is touched: it would call home.
        var reading = Verify(path, new VerificationPolicy
        {
            AcceptedKeys = ReadKeys(options.VerificationKeys),
            Service = service.Definition.Service,
            PlanDigest = service.Plan.Digest,
            SequenceMin = options.SequenceMin,
            Now = clock.GetUtcNow(),
        });
        return reading.Ensemble ?? None(options, $"{path}: refused ({reading.Refusal!.Code}): {reading.Refusal.Sentence}", ExitCode.Data, logger);
    }

    private static Ensemble? None(ServingOptions options, string reason, int exitCode, ILogger logger)
    {
        if (!options.WithoutModel)
        {
            throw new CommandFailure(exitCode, $"{reason}; to score by rules alone say --without-model");
        }

        LogMessages.NoModel(logger, reason);
        return null;
    }
}
