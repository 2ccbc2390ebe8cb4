using System.CommandLine;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary><c>models</c>: keys, packages of other libraries' models, a look into packages, and what workers are offered.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", "Keys and packages, and what workers are offered.")
    {
        KeyGeneration(), Import(), Show(), Verify(), OfferCommands.Publish(), OfferCommands.List(), OfferCommands.Rollback(), OfferCommands.Withdraw(),
    };

    private static Command KeyGeneration()
    {
        var output = CommonOptions.Output("where to write NAME.key.pem (secret: signs packages) and NAME.pub.pem (for workers), without ending");
        var command = new Command("keygen", "Makes a key pair, ECDSA P-256, as PEM files.") { output };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(output);
            string secret = name + ".key.pem";
            if (File.Exists(secret))
            {
                throw new TrainerException(ExitCode.Output, $"{secret} exists; a key is never overwritten");
            }

            using var key = PackageKey.Create();
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new StreamWriter(secret, options))
            {
                file.Write(key.WritePrivate());
            }

            File.WriteAllText(name + ".pub.pem", key.WritePublic());
            Console.Out.WriteLine(key.Id);
            Console.Error.WriteLine($"wrote {secret} (keep it secret) and {name}.pub.pem");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Import()
    {
        var model = new Argument<string>("model") { Description = "ONNX file: trees or a network that takes this definition's features, in order" };
        var definition = CommonOptions.Definition();
        var output = CommonOptions.Output("package to write");
        var key = CommonOptions.Key();
        var review = CommonOptions.Share("--review", "review from this score on", 0.5);
        var decline = CommonOptions.Share("--decline", "decline from this score on", 0.9);
        var logOdds = new Option<bool>("--log-odds") { Description = "the model's output is in log-odds, not a probability" };
        var validity = new ValidityOptions();
        var command = new Command("import", "Makes a signed package of a model that another library has trained on a definition's features.") { model, definition, output, key, review, decline, logOdds };
        validity.AddTo(command);
        command.SetAction(parsed =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            using var signingKey = CommonOptions.ReadSigningKey(parsed.GetRequiredValue(key));
            string path = parsed.GetRequiredValue(model);
            if (!File.Exists(path))
            {
                throw new TrainerException(ExitCode.NoInput, $"{path}: no such model");
            }

            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            double reviewFrom = service.Policy.Review ?? parsed.GetValue(review);
            double declineFrom = Math.Max(reviewFrom, service.Policy.Decline ?? parsed.GetValue(decline));
            var thresholds = new ThresholdsManifest(reviewFrom, declineFrom, "stated at import");
            var file = ForeignModel.Pack(path, validity.Read(parsed, service, plan), thresholds, parsed.GetValue(logOdds), signingKey);
            return TrainCommand.Finish(file, signingKey, parsed.GetRequiredValue(output));
        });
        return command;
    }

    private static Command Show()
    {
        var package = new Argument<string>("package") { Description = "model package" };
        var keys = new Option<string[]>("--key") { Description = "PEM files with the accepted public keys", Required = true, AllowMultipleArgumentsPerToken = true };
        var definition = new Option<string>("--definition", "-d") { Description = "service definition that the package must fit" };
        var command = new Command("show", "Verifies a package as a worker would and prints what it is.") { package, keys, definition };
        command.SetAction(parsed =>
        {
            var accepted = CommonOptions.ReadVerificationKeys(parsed.GetRequiredValue(keys));
            var policy = new VerificationPolicy { AcceptedKeys = accepted, Now = TimeProvider.System.GetUtcNow() };
            if (parsed.GetValue(definition) is { } definitionPath)
            {
                var service = CommonOptions.ReadDefinition(definitionPath);
                policy = policy with { Service = service.Service, PlanDigest = FeaturePlan.Compile(service, EventSchema.From(service)).Digest };
            }

            var reading = PackageFile.Read(parsed.GetRequiredValue(package), policy);
            reading.Ensemble!.Dispose();
            PackageDescription.Write(reading.Package!, Console.Out);
            Console.Out.WriteLine($"{"verification",-28}good");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Verify()
    {
        var package = new Argument<string>("package") { Description = "model package" };
        var keys = CommonOptions.PublicKeys();
        var definition = CommonOptions.Definition();
        var command = new Command("verify", "Says in one line whether a worker of a service would take a package, its sequence aside; 65 when not.") { package, keys, definition };
        command.SetAction(parsed =>
        {
            var policy = OfferCommands.PolicyOf(CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition)), CommonOptions.ReadVerificationKeys(parsed.GetRequiredValue(keys)));
            var reading = PackageFile.Read(parsed.GetRequiredValue(package), policy);
            reading.Ensemble!.Dispose();
            var manifest = reading.Package!.Manifest;
            Console.Out.WriteLine($"good: {manifest.Name} {manifest.Version}, sequence {manifest.Sequence}, sha256 {reading.Package.Sha256}, key {manifest.KeyId}");
            return ExitCode.Ok;
        });
        return command;
    }
}
