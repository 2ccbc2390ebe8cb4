using System.CommandLine;
using System.Globalization;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Commands;

/// <summary><c>models publish | list | rollback | withdraw</c>: what the workers of a service are offered. One line of result each; 0 when it stands as asked.</summary>
internal static class OfferCommands
{
    private const int DigestLengthMin = 8;

    public static Command Publish()
    {
        var package = new Argument<string>("package") { Description = "model package" };
        var options = new BrokerOptions();
        var command = options.AddTo(new Command("publish", "Verifies a package as a worker would and offers it to the workers of its service. Offering the same package again changes nothing.") { package });
        command.SetAction(parsed =>
        {
            var service = options.Definition(parsed);
            string path = parsed.GetRequiredValue(package);
            var reading = PackageFile.Read(path, PolicyOf(service, options.Keys(parsed)));
            reading.Ensemble!.Dispose();
            return Tell(options.Publisher(parsed, service).Publish(File.ReadAllBytes(path), reading.Package!));
        });
        return command;
    }

    public static Command List()
    {
        var options = new BrokerOptions();
        var command = options.AddTo(new Command("list", "Shows what the topic holds for a service, oldest first; the last line is what workers are offered."));
        command.SetAction(parsed =>
        {
            var keys = options.Keys(parsed);
            foreach (var offer in options.Publisher(parsed, options.Definition(parsed)).Offers())
            {
                Console.Out.WriteLine(Line(offer, keys));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Rollback()
    {
        var version = new Argument<string>("version") { Description = $"version of the model to go back to, or the first {DigestLengthMin} or more digits of its package's SHA-256" };
        var file = new Option<string>("--package", "-p") { Description = "its package, where the topic no longer holds it" };
        var key = CommonOptions.Key();
        var expires = CommonOptions.Time("--expires", "when the rollback expires; by default as the earlier package");
        var options = new BrokerOptions();
        var command = options.AddTo(new Command("rollback", "Offers an earlier model again, signed anew with the next sequence.") { version, file, key, expires });
        command.SetAction(parsed =>
        {
            var service = options.Definition(parsed);
            var publisher = options.Publisher(parsed, service);
            using var signer = CommonOptions.ReadSigningKey(parsed.GetRequiredValue(key));
            var keys = options.Keys(parsed);
            var offers = publisher.Offers();
            string wanted = parsed.GetRequiredValue(version);
            var earlier = parsed.GetValue(file) is { } path ? FromFile(path, wanted, keys) : FromTopic(offers, wanted, keys);
            var highest = publisher.Highest(offers);
            var offered = offers.Count > 0 && offers[^1].Package is not null ? offers[^1].Look(keys).Package : null;
            if (offered is not null && (Same(offered, earlier) || string.Equals(offered.Manifest.RollbackOf, earlier.Sha256, StringComparison.Ordinal)))
            {
                return Tell(new(PublicationOutcome.Already, $"{offered.Manifest.Version} is what is offered already, sequence {offered.Manifest.Sequence}: nothing was published"));
            }

            long sequence = Math.Max(highest?.Manifest.Sequence ?? 0, earlier.Manifest.Sequence) + 1;
            byte[] again = PackageRollback.Sign(earlier, sequence, offered?.Sha256, parsed.GetValue(expires), signer);
            var reading = PackageVerifier.Verify(again, PolicyOf(service, keys));
            if (reading.Refusal is { } refusal)
            {
                throw new TrainerException(ExitCode.Data, $"{wanted}: workers would refuse it: {refusal.Code.Wire()}: {refusal.Sentence}");
            }

            reading.Ensemble!.Dispose();
            return Tell(publisher.Publish(again, reading.Package!));
        });
        return command;
    }

    public static Command Withdraw()
    {
        var options = new BrokerOptions();
        var command = options.AddTo(new Command("withdraw", "Stops offering a model: a tombstone. What scores goes on; a worker that starts later finds none."));
        command.SetAction(parsed => Tell(options.Publisher(parsed, options.Definition(parsed)).Withdraw()));
        return command;
    }

    /// <summary>What a worker of the service asks of a package from the topic, the sequence aside.</summary>
    public static VerificationPolicy PolicyOf(ServiceDefinition service, IReadOnlyList<PackageKey> keys) => new()
    {
        AcceptedKeys = keys,
        Service = service.Service,
        PlanDigest = FeaturePlan.Compile(service, EventSchema.From(service)).Digest,
        Now = TimeProvider.System.GetUtcNow(),
        Limits = ModelsTopic.Limits,
    };

    private static int Tell(Publication publication)
    {
        if (publication.Outcome == PublicationOutcome.Refused)
        {
            throw new TrainerException(ExitCode.Data, "not published: " + publication.Sentence);
        }

        Console.Out.WriteLine(publication.Sentence);
        return ExitCode.Ok;
    }

    private static string Line(OfferedModel offer, IReadOnlyList<PackageKey> keys)
    {
        string at = string.Create(CultureInfo.InvariantCulture, $"{offer.At:yyyy-MM-ddTHH:mm:ssZ}  {offer.Partition}:{offer.Offset}");
        if (offer.Package is null)
        {
            return $"{at}  withdrawn";
        }

        var reading = offer.Look(keys);
        if (reading.Package is not { } package)
        {
            return $"{at}  refused {reading.Refusal!.Code.Wire()}: {reading.Refusal.Sentence}";
        }

        var manifest = package.Manifest;
        string action = manifest.RollbackOf is { } target ? $"rollback of {target[..12]}" : "publish";
        string expires = manifest.Expires is { } end ? string.Create(CultureInfo.InvariantCulture, $", expires {end:yyyy-MM-ddTHH:mm:ssZ}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{at}  {action}  {manifest.Name} {manifest.Version}, sequence {manifest.Sequence}, {package.Sha256[..12]}, key {manifest.KeyId}, {offer.Package.Length} bytes{expires}");
    }

    private static ModelPackage FromFile(string path, string wanted, IReadOnlyList<PackageKey> keys)
    {
        var reading = PackageFile.Read(path, new VerificationPolicy { AcceptedKeys = keys, Limits = ModelsTopic.Limits });
        reading.Ensemble!.Dispose();
        return IsCalled(reading.Package!, wanted) ? reading.Package! : throw new TrainerException(ExitCode.Data, $"{path}: is version {reading.Package!.Manifest.Version} ({reading.Package.Sha256[..12]}), not {wanted}");
    }

    private static ModelPackage FromTopic(IReadOnlyList<OfferedModel> offers, string wanted, IReadOnlyList<PackageKey> keys)
    {
        // A rollback carries its model's version: the original is meant.
        var found = offers
            .Where(offer => offer.Package is not null)
            .Select(offer => offer.Look(keys).Package)
            .OfType<ModelPackage>()
            .Where(package => package.Manifest.RollbackOf is null && IsCalled(package, wanted))
            .DistinctBy(package => package.Sha256, StringComparer.Ordinal)
            .ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new TrainerException(ExitCode.NoInput, $"{wanted}: the topic holds no such package (compaction removes superseded ones after a week); give its file by --package"),
            _ => throw new TrainerException(ExitCode.Usage, $"{wanted}: {found.Count} packages are called so ({string.Join(", ", found.Select(package => package.Sha256[..12]))}); name one by its SHA-256"),
        };
    }

    private static bool IsCalled(ModelPackage package, string wanted) =>
        string.Equals(package.Manifest.Version, wanted, StringComparison.Ordinal)
        || (wanted.Length >= DigestLengthMin && package.Sha256.StartsWith(wanted, StringComparison.OrdinalIgnoreCase));

    private static bool Same(ModelPackage one, ModelPackage other) => string.Equals(one.Sha256, other.Sha256, StringComparison.Ordinal);
}
